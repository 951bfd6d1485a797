#include "state/redis_session.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "state/server_url.h"

namespace tidemark {
namespace {

constexpr timeval kConnectTimeout = {10, 0};
// A script of ours with bodies of 10 MiB and one fsync stays far below.
constexpr timeval kReplyTimeout = {60, 0};

// hiredis writes with write(2): a server that is gone would end this process by SIGPIPE. Blocked in
// this thread while it lives; one that arrived is taken away unless it was waiting before.
class SigpipeBlock {
 public:
  SigpipeBlock() {
    sigset_t waiting;
    sigemptyset(&waiting);
    sigpending(&waiting);
    was_waiting_ = sigismember(&waiting, SIGPIPE) == 1;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    blocked_ = pthread_sigmask(SIG_BLOCK, &pipe_, &before_) == 0;
  }
  ~SigpipeBlock() {
    if (!blocked_) return;
    const timespec now = {};
    if (!was_waiting_) sigtimedwait(&pipe_, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeBlock(const SigpipeBlock&) = delete;
  SigpipeBlock& operator=(const SigpipeBlock&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_waiting_ = false;
  bool blocked_ = false;
};

RedisReply Convert(const redisReply& reply) {
  RedisReply out;
  switch (reply.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      out.kind = RedisReply::Kind::kText;
      out.text.assign(reply.str, reply.len);
      break;
    case REDIS_REPLY_ERROR:
      out.kind = RedisReply::Kind::kError;
      out.text.assign(reply.str, reply.len);
      break;
    case REDIS_REPLY_INTEGER:
      out.kind = RedisReply::Kind::kInteger;
      out.integer = reply.integer;
      break;
    case REDIS_REPLY_ARRAY:
      out.kind = RedisReply::Kind::kList;
      out.list.reserve(reply.elements);
      for (size_t i = 0; i < reply.elements; ++i) out.list.push_back(Convert(*reply.element[i]));
      break;
    default:
      break;
  }
  return out;
}

}  // namespace

struct RedisSession::Address {
  std::string path;  // of a unix socket; empty: host and port
  std::string host;
  int port = 6379;
  std::string user;
  std::string password;
  int database = 0;
};

struct RedisSession::Link {
  redisContext* context = nullptr;
  ~Link() {
    if (context != nullptr) redisFree(context);
  }
};

absl::StatusOr<std::unique_ptr<RedisSession>> RedisSession::Create(const std::string& address) {
  constexpr char kExpected[] =
      "expected redis://USER:PASSWORD@HOST:PORT/NUMBER or unix:PATH?db=NUMBER";
  const auto wrong = [&](absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat("the address of Redis: ", what, "; ", kExpected));
  };
  auto parsed = std::make_unique<Address>();
  std::string text = address;
  absl::string_view rest = address;
  // "unix:PATH" and "unix:///PATH" mean the same; an URL's path has lost its first slash.
  const bool unix = absl::ConsumePrefix(&rest, "unix:");
  if (unix) {
    if (absl::StartsWith(rest, "///")) rest.remove_prefix(2);
    const size_t mark = rest.find('?');
    parsed->path = std::string(rest.substr(0, mark));
    if (parsed->path.empty()) return wrong("no path of a socket");
    text = absl::StrCat("unix://socket", mark == absl::string_view::npos ? "" : rest.substr(mark));
  }
  absl::StatusOr<ServerUrl> url = ParseServerUrl(text);
  if (!url.ok()) return wrong(url.status().message());
  if (url->scheme == "rediss") {
    return absl::UnimplementedError("rediss: (Redis over TLS) is not built yet");
  }
  if (!unix && url->scheme != "redis") return wrong("another scheme than redis or unix");
  std::string number = url->path;
  for (const auto& [name, value] : url->query) {
    if (name == "db") number = value;
    if (name == "user") url->user = value;
    if (name == "password") url->password = value;
    if (name != "db" && name != "user" && name != "password") return wrong("an unknown option");
  }
  if (!number.empty() && (!absl::SimpleAtoi(number, &parsed->database) || parsed->database < 0)) {
    return wrong("the database is no number");
  }
  parsed->user = url->user;
  parsed->password = url->password;
  if (!unix) {
    if (url->host.empty()) return wrong("no host");
    parsed->host = url->host;
    if (url->port != 0) parsed->port = url->port;
  }
  const std::string place =
      unix ? absl::StrCat("unix:", parsed->path) : absl::StrCat(parsed->host, ":", parsed->port);
  const int database = parsed->database;
  std::unique_ptr<RedisSession> session(new RedisSession(std::move(parsed)));
  session->described_ =
      absl::StrCat("Redis at ", place, database == 0 ? "" : absl::StrCat(", database ", database));
  return session;
}

RedisSession::RedisSession(std::unique_ptr<Address> address) : address_(std::move(address)) {}
RedisSession::~RedisSession() = default;

absl::Status RedisSession::Broken(absl::string_view what) {
  absl::Status status =
      absl::UnavailableError(absl::StrCat(described_, " does not answer: ", what));
  link_ = nullptr;
  return status;
}

absl::Status RedisSession::ErrorOf(absl::string_view text) const {
  // The first word of an error is its code (Redis protocol specification, "Simple errors").
  struct Kind {
    const char* word;
    absl::StatusCode code;
  };
  static constexpr Kind kKinds[] = {
      {"NOAUTH", absl::StatusCode::kUnauthenticated},
      {"WRONGPASS", absl::StatusCode::kUnauthenticated},
      {"NOPERM", absl::StatusCode::kPermissionDenied},
      {"OOM", absl::StatusCode::kResourceExhausted},
      {"MISCONF", absl::StatusCode::kResourceExhausted},
      {"LOADING", absl::StatusCode::kUnavailable},
      {"BUSY", absl::StatusCode::kUnavailable},
      {"MASTERDOWN", absl::StatusCode::kUnavailable},
      {"NOREPLICAS", absl::StatusCode::kUnavailable},
      {"READONLY", absl::StatusCode::kFailedPrecondition},
      {"NOSCRIPT", absl::StatusCode::kNotFound},
      {"WRONGTYPE", absl::StatusCode::kDataLoss},
  };
  absl::StatusCode code = absl::StatusCode::kInternal;
  for (const Kind& kind : kKinds) {
    if (absl::StartsWith(text, kind.word)) code = kind.code;
  }
  return absl::Status(code, absl::StrCat(described_, ": ", text));
}

absl::Status RedisSession::Connect() {
  if (link_ != nullptr) return absl::OkStatus();
  absl::Status status = Open();
  if (!status.ok()) link_ = nullptr;
  return status;
}

absl::Status RedisSession::Open() {
  const SigpipeBlock block;
  link_ = std::make_unique<Link>();
  link_->context =
      address_->path.empty()
          ? redisConnectWithTimeout(address_->host.c_str(), address_->port, kConnectTimeout)
          : redisConnectUnixWithTimeout(address_->path.c_str(), kConnectTimeout);
  if (link_->context == nullptr) return absl::ResourceExhaustedError("no memory for hiredis");
  if (link_->context->err != 0) return Broken(link_->context->errstr);
  redisSetTimeout(link_->context, kReplyTimeout);
  if (!address_->password.empty()) {
    RedisWords words = {"AUTH"};
    if (!address_->user.empty()) words.push_back(address_->user);
    words.push_back(address_->password);
    absl::StatusOr<RedisReply> reply = Run(words);
    if (!reply.ok()) {
      if (absl::IsUnavailable(reply.status())) return reply.status();
      return absl::UnauthenticatedError(reply.status().message());
    }
  }
  if (address_->database != 0) {
    const std::string number = absl::StrCat(address_->database);
    absl::StatusOr<RedisReply> reply = Run({"SELECT", number});
    if (!reply.ok()) return reply.status();
  }
  // A server that is starting answers nothing else than this.
  return Run({"PING"}).status();
}

absl::StatusOr<RedisReply> RedisSession::Run(const RedisWords& words) {
  absl::StatusOr<std::vector<RedisReply>> replies = RunAll(absl::MakeSpan(&words, 1));
  if (!replies.ok()) return replies.status();
  RedisReply& reply = replies->front();
  if (reply.kind == RedisReply::Kind::kError) return ErrorOf(reply.text);
  return std::move(reply);
}

absl::StatusOr<std::vector<RedisReply>> RedisSession::RunAll(
    absl::Span<const RedisWords> commands) {
  if (link_ == nullptr)
    return absl::UnavailableError(absl::StrCat(described_, " is not connected"));
  const SigpipeBlock block;
  for (const RedisWords& words : commands) {
    std::vector<const char*> values;
    std::vector<size_t> lengths;
    for (const absl::string_view word : words) {
      values.push_back(word.data() == nullptr ? "" : word.data());
      lengths.push_back(word.size());
    }
    if (redisAppendCommandArgv(link_->context, static_cast<int>(values.size()), values.data(),
                               lengths.data()) != REDIS_OK) {
      return Broken(link_->context->errstr);
    }
  }
  std::vector<RedisReply> replies;
  replies.reserve(commands.size());
  for (size_t i = 0; i < commands.size(); ++i) {
    void* raw = nullptr;
    if (redisGetReply(link_->context, &raw) != REDIS_OK || raw == nullptr) {
      return Broken(link_->context->errstr);
    }
    auto* const reply = static_cast<redisReply*>(raw);
    replies.push_back(Convert(*reply));
    freeReplyObject(reply);
  }
  return replies;
}

}  // namespace tidemark
