#include "tests/servers/redis_server.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <utility>

#include "state/redis_session.h"

namespace tidemark::test {
namespace {

std::string TextOf(const RedisReply& reply) {
  if (reply.kind == RedisReply::Kind::kInteger) return std::to_string(reply.integer);
  std::string text = reply.text;
  for (const RedisReply& item : reply.list) {
    if (!text.empty()) text.push_back(' ');
    text.append(TextOf(item));
  }
  return text;
}

}  // namespace

RedisServer::RedisServer(const std::vector<std::string>& settings) : settings_(settings) {
  program_ = RequireProgram({"/usr/bin/redis-server"}, "redis-server");
  if (!program_.empty()) Start();
}

RedisServer::~RedisServer() {
  if (process_ != nullptr) process_->End(SIGKILL);
}

RedisServer& RedisServer::Shared() {
  static RedisServer server;
  return server;
}

void RedisServer::Start() {
  unlink((folder_.path() + "/redis.sock").c_str());
  std::vector<std::string> words = {program_,
                                    "--port",
                                    "0",
                                    "--unixsocket",
                                    folder_.path() + "/redis.sock",
                                    "--unixsocketperm",
                                    "777",
                                    "--dir",
                                    folder_.path(),
                                    "--save",
                                    "",
                                    "--daemonize",
                                    "no",
                                    "--appendonly",
                                    "yes",
                                    "--appendfsync",
                                    "always"};
  words.insert(words.end(), settings_.begin(), settings_.end());
  process_ =
      std::make_unique<ServerChild>(std::move(words), folder_.path(), folder_.path() + "/log");
  ok_ = WaitUntilReady(*process_, 30, [this] {
    auto session = RedisSession::Create(Address());
    return session.ok() && !absl::IsUnavailable((*session)->Connect());
  });
  if (!ok_) ADD_FAILURE() << "Redis did not start; its log is " << folder_.path() << "/log";
}

void RedisServer::Kill() { process_->End(SIGKILL); }

std::string RedisServer::Command(const std::vector<std::string>& words) {
  auto session = RedisSession::Create(Address());
  if (!session.ok() || !(*session)->Connect().ok()) {
    ADD_FAILURE() << "Redis does not answer";
    return "";
  }
  const RedisWords views(words.begin(), words.end());
  const auto reply = (*session)->Run(views);
  if (!reply.ok()) {
    ADD_FAILURE() << reply.status();
    return "";
  }
  return TextOf(*reply);
}

}  // namespace tidemark::test
