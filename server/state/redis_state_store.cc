#include "state/redis_state_store.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "state/append_check.h"
#include "state/lease_holder.h"
#include "state/redis_scripts.h"
#include "state/redis_session.h"
#include "state/redis_version.h"
#include "state/version_reading.h"

namespace tidemark {
namespace {

constexpr int64_t kFormat = 1;

using Kind = RedisReply::Kind;

int64_t Number(const RedisReply& reply) {
  int64_t number = 0;
  if (reply.kind == Kind::kInteger) return reply.integer;
  return absl::SimpleAtoi(reply.text, &number) ? number : 0;
}

bool IsList(const RedisReply& reply, size_t size) {
  return reply.kind == Kind::kList && reply.list.size() == size;
}

// Words that a command borrows, with the numbers among them as text.
class OwnedWords {
 public:
  OwnedWords& Add(absl::string_view word) {  // borrowed
    words_.push_back(word);
    return *this;
  }
  OwnedWords& Own(std::string word) {
    owned_.push_back(std::move(word));
    words_.push_back(owned_.back());
    return *this;
  }
  OwnedWords& Int(int64_t number) { return Own(absl::StrCat(number)); }
  const RedisWords& words() const { return words_; }

 private:
  std::deque<std::string> owned_;
  RedisWords words_;
};

class RedisStateStore final : public StateStore {
 public:
  RedisStateStore(std::unique_ptr<RedisSession> session, std::string connection,
                  const RedisStateStoreOptions& options)
      : session_(std::move(session)),
        connection_(std::move(connection)),
        options_(options),
        prefix_(absl::StrCat("tidemark:{", connection_, "}:")) {}
  ~RedisStateStore() override { Release(); }

  std::string Describe() const override { return session_->Describe(); }
  absl::StatusOr<std::optional<StateHolder>> Holder() override;
  absl::StatusOr<std::vector<StateHead>> Heads() override;
  absl::Status ReadVersions(const VersionQuery& query,
                            const std::function<absl::Status(StoredVersion&)>& each) override;
  absl::StatusOr<std::vector<AuditRecord>> Audit(int64_t limit) override;
  absl::StatusOr<int64_t> Acquire(const OwnershipRequest& request) override;
  absl::Status Renew() override;
  absl::Status Append(absl::Span<const VersionAppend> appends,
                      absl::Span<const AuditRecord> audit) override;
  void Release() override;

 private:
  std::string Key(absl::string_view name, absl::string_view entry = "") const {
    return absl::StrCat(prefix_, name, entry);
  }
  int64_t LeaseMs() const { return std::max<int64_t>(1, options_.lease / absl::Milliseconds(1)); }
  absl::Status CheckDurability();
  absl::Status Fenced();
  // The first word of a script's answer, with the second one in `*detail`.
  absl::StatusOr<std::string> RunScript(const OwnedWords& words, RedisReply* detail);
  absl::Status TryAppend(const OwnedWords& words, absl::Span<const VersionAppend> appends);
  absl::StatusOr<bool> Holds(const VersionAppend& append);
  absl::StatusOr<std::vector<int64_t>> Numbers(const VersionQuery& query);
  absl::Status ReadPage(const VersionQuery& query, absl::Span<const int64_t> numbers,
                        const std::function<absl::Status(StoredVersion&)>& each);

  const std::unique_ptr<RedisSession> session_;
  const std::string connection_;
  const RedisStateStoreOptions options_;
  const std::string prefix_;
  OwnershipRequest request_;
  int64_t epoch_ = 0;  // 0: not the holder
};

absl::StatusOr<std::optional<StateHolder>> RedisStateStore::Holder() {
  if (absl::Status s = session_->Connect(); !s.ok()) return s;
  const std::string owner = Key("owner");
  const std::string lease = Key("lease");
  const std::vector<RedisWords> commands = {
      {"HMGET", owner, "format", "epoch", "holder", "boot_id", "pid", "pid_start", "acquired_at"},
      {"GET", lease},
      {"PTTL", lease},
      {"TIME"}};
  absl::StatusOr<std::vector<RedisReply>> replies = session_->RunAll(commands);
  if (!replies.ok()) return replies.status();
  const RedisReply& fields = (*replies)[0];
  const RedisReply& time = (*replies)[3];
  if (!IsList(fields, 7) || !IsList(time, 2)) {
    return absl::DataLossError(absl::StrCat("key ", owner, " in ", Describe(), " is no owner"));
  }
  if (fields.list[1].kind == Kind::kNil) return std::optional<StateHolder>();
  if (Number(fields.list[0]) > kFormat) {
    return absl::FailedPreconditionError(
        absl::StrCat("the state in ", Describe(), " was written by a newer engine (format ",
                     Number(fields.list[0]), ", this one knows ", kFormat,
                     "); install that engine or a newer one"));
  }
  StateHolder holder;
  holder.epoch = Number(fields.list[1]);
  holder.holder = fields.list[2].text;
  holder.boot_id = fields.list[3].text;
  holder.pid = Number(fields.list[4]);
  holder.pid_start = Number(fields.list[5]);
  holder.acquired_at_us = Number(fields.list[6]);
  const int64_t now_us = Number(time.list[0]) * 1'000'000 + Number(time.list[1]);
  const bool leased = (*replies)[1].kind == Kind::kText;
  // Of a lease that ended nobody knows when; it cannot have been later than this.
  holder.expires_at_us = leased ? now_us + Number((*replies)[2]) * 1000 : now_us;
  holder.held = leased && !HolderIsGone(holder);
  return std::optional<StateHolder>(std::move(holder));
}

absl::StatusOr<std::vector<StateHead>> RedisStateStore::Heads() {
  absl::StatusOr<std::optional<StateHolder>> holder = Holder();
  if (!holder.ok()) return holder.status();
  if (!holder->has_value()) {
    return absl::NotFoundError(absl::StrCat(Describe(), " holds no state of connection \"",
                                            connection_, "\" (no key ", Key("owner"), ")"));
  }
  const std::string entries = Key("entries");
  absl::StatusOr<RedisReply> names = session_->Run({"SMEMBERS", entries});
  if (!names.ok()) return names.status();
  std::deque<std::string> keys;
  std::vector<RedisWords> commands;
  for (const RedisReply& name : names->list) {
    keys.push_back(Key("head:", name.text));
    commands.push_back({"HMGET", keys.back(), "schema", "table", "version", "chain", "anchor"});
  }
  absl::StatusOr<std::vector<RedisReply>> replies = session_->RunAll(commands);
  if (!replies.ok()) return replies.status();
  std::vector<StateHead> heads;
  for (size_t i = 0; i < replies->size(); ++i) {
    const RedisReply& fields = (*replies)[i];
    if (!IsList(fields, 5)) {
      return absl::DataLossError(absl::StrCat("key ", keys[i], " in ", Describe(), " is no head"));
    }
    heads.push_back({names->list[i].text, fields.list[0].text, fields.list[1].text,
                     Number(fields.list[2]), fields.list[3].text, fields.list[4].text});
  }
  std::sort(heads.begin(), heads.end(),
            [](const StateHead& a, const StateHead& b) { return a.entry < b.entry; });
  return heads;
}

absl::StatusOr<std::vector<int64_t>> RedisStateStore::Numbers(const VersionQuery& query) {
  OwnedWords words;
  words.Add(query.newest_first ? "ZREVRANGEBYSCORE" : "ZRANGEBYSCORE");
  words.Own(Key("order:", query.entry));
  const std::string first = absl::StrCat(query.first);
  const absl::string_view lowest(first);  // a view in both arms: no temporary string
  const absl::string_view highest("+inf");
  words.Add(query.newest_first ? highest : lowest).Add(query.newest_first ? lowest : highest);
  if (query.limit >= 0) words.Add("LIMIT").Int(0).Int(query.limit);
  absl::StatusOr<RedisReply> reply = session_->Run(words.words());
  if (!reply.ok()) return reply.status();
  std::vector<int64_t> numbers;
  numbers.reserve(reply->list.size());
  for (const RedisReply& number : reply->list) numbers.push_back(Number(number));
  return numbers;
}

absl::Status RedisStateStore::ReadPage(const VersionQuery& query, absl::Span<const int64_t> numbers,
                                       const std::function<absl::Status(StoredVersion&)>& each) {
  OwnedWords values;
  values.Add("HMGET").Own(Key("versions:", query.entry));
  for (const int64_t number : numbers) values.Int(number);
  absl::StatusOr<RedisReply> rows = session_->Run(values.words());
  if (!rows.ok()) return rows.status();
  if (!IsList(*rows, numbers.size())) return absl::InternalError("HMGET left something out");
  std::vector<StoredVersion> page;
  OwnedWords hashes;
  hashes.Add("HMGET").Own(Key("bodies:", query.entry));
  for (size_t i = 0; i < numbers.size(); ++i) {
    StoredVersion stored = DecodeRedisVersion(rows->list[i].text);
    if (stored.readable.ok() && stored.version.version != numbers[i]) {
      stored.readable = absl::DataLossError(
          absl::StrCat("version ", numbers[i], " calls itself version ", stored.version.version));
    }
    stored.version.version = numbers[i];
    stored.version.connection = connection_;
    stored.version.entry = query.entry;
    hashes.Own(stored.version.body_hash);
    page.push_back(std::move(stored));
  }
  if (query.bodies) {
    absl::StatusOr<RedisReply> bodies = session_->Run(hashes.words());
    if (!bodies.ok()) return bodies.status();
    if (!IsList(*bodies, page.size())) return absl::InternalError("HMGET left something out");
    for (size_t i = 0; i < page.size(); ++i) {
      page[i].version.body = std::move(bodies->list[i].text);
      page[i].body_bytes = static_cast<int64_t>(page[i].version.body.size());
    }
  }
  for (StoredVersion& stored : page) {
    if (absl::Status s = each(stored); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status RedisStateStore::ReadVersions(
    const VersionQuery& query, const std::function<absl::Status(StoredVersion&)>& each) {
  if (absl::Status s = session_->Connect(); !s.ok()) return s;
  absl::StatusOr<std::vector<int64_t>> numbers = Numbers(query);
  if (!numbers.ok()) return numbers.status();
  const size_t size = query.bodies ? kVersionPage : kVersionPageWithoutBodies;
  for (size_t at = 0; at < numbers->size(); at += size) {
    const size_t count = std::min(size, numbers->size() - at);
    absl::Status status = ReadPage(query, absl::MakeConstSpan(numbers->data() + at, count), each);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AuditRecord>> RedisStateStore::Audit(int64_t limit) {
  if (absl::Status s = session_->Connect(); !s.ok()) return s;
  if (limit == 0) return std::vector<AuditRecord>();
  OwnedWords words;
  words.Add("LRANGE").Own(Key("audit")).Int(0).Int(limit < 0 ? -1 : limit - 1);
  absl::StatusOr<RedisReply> reply = session_->Run(words.words());
  if (!reply.ok()) return reply.status();
  std::vector<AuditRecord> records;
  for (const RedisReply& value : reply->list) {
    AuditRecord record;
    if (!DecodeRedisAudit(value.text, &record)) {
      return absl::DataLossError(
          absl::StrCat("a line of ", Key("audit"), " in ", Describe(), " cannot be understood"));
    }
    records.push_back(std::move(record));
  }
  return records;
}

absl::Status RedisStateStore::CheckDurability() {
  struct Wanted {
    const char* name;
    const char* value;  // that it must have; of maxmemory-policy: must not begin with
  };
  static constexpr Wanted kWanted[] = {{"appendonly", "yes"},
                                       {"appendfsync", "always"},
                                       {"no-appendfsync-on-rewrite", "no"},
                                       {"maxmemory-policy", "allkeys-"}};
  std::vector<RedisWords> commands;
  commands.reserve(std::size(kWanted) + 1);
  for (const Wanted& wanted : kWanted) commands.push_back({"CONFIG", "GET", wanted.name});
  commands.push_back({"INFO", "replication"});
  absl::StatusOr<std::vector<RedisReply>> replies = session_->RunAll(commands);
  if (!replies.ok()) return replies.status();
  if (absl::StrContains(replies->back().text, "role:slave")) {
    return absl::FailedPreconditionError(
        absl::StrCat(Describe(), " is a read-only replica: name its primary"));
  }
  if (options_.accept_weak_durability) return absl::OkStatus();
  std::string wrong;
  for (size_t i = 0; i + 1 < replies->size(); ++i) {
    const RedisReply& reply = (*replies)[i];
    const Wanted& wanted = kWanted[i];
    const bool policy = absl::string_view(wanted.name) == "maxmemory-policy";
    if (reply.kind == Kind::kError) {
      wrong = absl::StrCat("does not say what ", wanted.name, " is (", reply.text, ")");
    } else if (IsList(reply, 2) && (policy ? !absl::StartsWith(reply.list[1].text, wanted.value)
                                           : reply.list[1].text == wanted.value)) {
      continue;
    } else {
      const std::string is = IsList(reply, 2) ? reply.list[1].text : "unknown";
      wrong = absl::StrCat("runs with ", wanted.name, " ", is, "; it must ",
                           policy ? "not evict keys without expiry" : "be ",
                           policy ? "" : wanted.value);
    }
    break;
  }
  if (wrong.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      Describe(), " may lose an acknowledged version: it ", wrong,
      ". Change the server's configuration, or set state.storage.accept_weak_durability: true"));
}

absl::StatusOr<std::string> RedisStateStore::RunScript(const OwnedWords& words,
                                                       RedisReply* detail) {
  absl::StatusOr<RedisReply> reply = session_->Run(words.words());
  if (!reply.ok()) return reply.status();
  if (reply->kind != Kind::kList || reply->list.empty()) {
    return absl::InternalError(absl::StrCat(Describe(), ": a script gave no answer"));
  }
  if (reply->list.size() > 1) *detail = std::move(reply->list[1]);
  return std::move(reply->list[0].text);
}

absl::StatusOr<int64_t> RedisStateStore::Acquire(const OwnershipRequest& request) {
  epoch_ = 0;
  request_ = request;
  if (absl::Status s = session_->Connect(); !s.ok()) return s;
  if (absl::Status s = CheckDurability(); !s.ok()) return s;
  absl::StatusOr<std::optional<StateHolder>> before = Holder();
  if (!before.ok()) return before.status();
  // The holder's process is looked at here; the script takes the lease of just that epoch.
  const bool gone = before->has_value() && !(*before)->held;
  const HolderIdentity self = LeaseIdentity();
  OwnedWords words;
  words.Add("EVAL").Add(kRedisAcquire).Add("1").Add(prefix_).Add(request.holder);
  words.Add(self.boot_id).Int(self.pid).Int(self.start).Int(LeaseMs());
  words.Add(request.take_over ? "1" : "0");
  words.Own(gone ? absl::StrCat((*before)->epoch) : "");
  RedisReply detail;
  absl::StatusOr<std::string> answer = RunScript(words, &detail);
  if (!answer.ok()) return answer.status();
  if (*answer == "ok") return epoch_ = Number(detail);
  before = Holder();
  if (!before.ok()) return before.status();
  return HeldByAnother(connection_, Describe(), before->value_or(StateHolder()));
}

absl::Status RedisStateStore::Fenced() {
  absl::StatusOr<std::optional<StateHolder>> now = Holder();
  if (!now.ok()) return now.status();
  return FencedBy(connection_, Describe(), now->value_or(StateHolder()), epoch_);
}

absl::Status RedisStateStore::Renew() {
  if (epoch_ == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("connection \"", connection_, "\" in ", Describe(), " is not held"));
  }
  if (absl::Status s = session_->Connect(); !s.ok()) return s;
  // Somebody may have changed the settings of the running server.
  if (absl::Status s = CheckDurability(); !s.ok()) return s;
  OwnedWords words;
  words.Add("EVAL").Add(kRedisRenew).Add("1").Add(prefix_).Int(epoch_).Int(LeaseMs());
  RedisReply detail;
  absl::StatusOr<std::string> answer = RunScript(words, &detail);
  if (!answer.ok()) return answer.status();
  return *answer == "ok" ? absl::OkStatus() : Fenced();
}

absl::StatusOr<bool> RedisStateStore::Holds(const VersionAppend& append) {
  const std::string key = Key("versions:", append.version.entry);
  const std::string number = absl::StrCat(append.version.version);
  absl::StatusOr<RedisReply> reply = session_->Run({"HGET", key, number});
  if (!reply.ok()) return reply.status();
  return reply->text == EncodeRedisVersion(append.version);
}

absl::Status RedisStateStore::TryAppend(const OwnedWords& words,
                                        absl::Span<const VersionAppend> appends) {
  if (absl::Status s = session_->Connect(); !s.ok()) return s;
  RedisReply detail;
  absl::StatusOr<std::string> answer = RunScript(words, &detail);
  if (!answer.ok()) return answer.status();
  if (*answer == "ok") return absl::OkStatus();
  if (*answer == "fenced") return Fenced();
  if (*answer == "damaged") {
    return absl::DataLossError(absl::StrCat("key ", detail.text, " in ", Describe(),
                                            " is of another type than Tidemark gave it; nothing "
                                            "was written there"));
  }
  int64_t expected = 0;
  for (const VersionAppend& append : appends) {
    if (append.version.entry == detail.text) expected = append.expected_version;
  }
  return Diverged(connection_, Describe(), detail.text, expected);
}

absl::Status RedisStateStore::Append(absl::Span<const VersionAppend> appends,
                                     absl::Span<const AuditRecord> audit) {
  if (absl::Status s = CheckAppends(appends, connection_); !s.ok()) return s;
  if (epoch_ == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("connection \"", connection_, "\" in ", Describe(), " is not held"));
  }
  OwnedWords words;
  words.Add("EVAL").Add(kRedisAppend).Add("1").Add(prefix_).Int(epoch_);
  words.Int(request_.retention.versions).Int(request_.retention.bytes);
  words.Int(request_.horizon.newer_versions);
  words.Int(static_cast<int64_t>(appends.size())).Int(static_cast<int64_t>(audit.size()));
  for (const VersionAppend& append : appends) {
    const StateVersion& version = append.version;
    words.Add(version.entry).Add(append.schema).Add(append.table).Int(append.expected_version);
    words.Add(append.expected_chain).Int(version.version).Add(version.chain);
    words.Own(EncodeRedisVersion(version)).Add(version.body_hash).Add(version.body);
    words.Add(append.anchor.has_value() ? "1" : "0");
    words.Add(append.anchor.has_value() ? absl::string_view(*append.anchor) : "");
    words.Int(static_cast<int64_t>(append.set_aside.size()));
    for (const int64_t damaged : append.set_aside) words.Int(damaged);
  }
  for (const AuditRecord& record : audit) words.Own(EncodeRedisAudit(record));
  absl::Status status = session_->Connect();
  if (!status.ok()) return status;
  status = TryAppend(words, appends);
  if (status.ok() || !session_->lost()) return status;
  // The outcome is not known. The same once more: of two equal appends one finds the other's head.
  absl::Status again = TryAppend(words, appends);
  if (absl::IsDataLoss(again) && !appends.empty()) {
    absl::StatusOr<bool> there = Holds(appends[0]);
    if (there.ok() && *there) return absl::OkStatus();
    if (!there.ok()) again = there.status();  // whose version the head is, is not known either
  }
  if (again.ok() || absl::IsFailedPrecondition(again) || absl::IsDataLoss(again)) return again;
  return absl::AbortedError(absl::StrCat("whether the last version reached ", Describe(),
                                         " is not known: ", again.message(),
                                         "; it came after: ", status.message()));
}

void RedisStateStore::Release() {
  if (epoch_ == 0) return;
  const int64_t epoch = std::exchange(epoch_, 0);
  if (session_->lost()) return;  // the lease ends by itself, or when this process is gone
  OwnedWords words;
  words.Add("EVAL").Add(kRedisRelease).Add("1").Add(prefix_).Int(epoch);
  session_->Run(words.words()).IgnoreError();
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateStore>> OpenRedisStateStore(
    const std::string& address, const std::string& connection,
    const RedisStateStoreOptions& options) {
  absl::StatusOr<std::unique_ptr<RedisSession>> session = RedisSession::Create(address);
  if (!session.ok()) return session.status();
  return std::make_unique<RedisStateStore>(*std::move(session), connection, options);
}

}  // namespace tidemark
