// One connection to a Redis server, by hiredis. The only file that sees hiredis.h is
// redis_session.cc.
#ifndef TIDEMARK_STATE_REDIS_SESSION_H_
#define TIDEMARK_STATE_REDIS_SESSION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace tidemark {

// What Redis answered. An error inside of a list is a value of its own.
struct RedisReply {
  enum class Kind { kNil, kText, kInteger, kList, kError };
  Kind kind = Kind::kNil;
  std::string text;  // of kText and kError
  int64_t integer = 0;
  std::vector<RedisReply> list;
};

using RedisWords = std::vector<absl::string_view>;  // borrowed until the call returns

// Confined to one thread. Errors name the server and never hold the password:
//   UNAVAILABLE          it does not answer, or is loading
//   UNAUTHENTICATED      user or password
//   PERMISSION_DENIED    the user may not do this
//   RESOURCE_EXHAUSTED   its memory limit or disk
//   FAILED_PRECONDITION  a read-only replica
//   INTERNAL             any other refusal
class RedisSession {
 public:
  // "redis://[USER:PASSWORD@]HOST[:PORT][/NUMBER]" or "unix:PATH[?db=NUMBER&user=..&password=..]".
  // Nothing is connected yet. INVALID_ARGUMENT never repeats a part of the address;
  // UNIMPLEMENTED: rediss (TLS).
  static absl::StatusOr<std::unique_ptr<RedisSession>> Create(const std::string& address);
  ~RedisSession();
  RedisSession(const RedisSession&) = delete;
  RedisSession& operator=(const RedisSession&) = delete;

  // "Redis at HOST:PORT, database 0": never a user or password.
  const std::string& Describe() const { return described_; }

  // Connects, authenticates and selects the database where there is no connection.
  absl::Status Connect();
  bool lost() const { return link_ == nullptr; }

  // One command. An error reply becomes the status.
  absl::StatusOr<RedisReply> Run(const RedisWords& words);
  // Several commands in one round trip; error replies stand in the list.
  absl::StatusOr<std::vector<RedisReply>> RunAll(absl::Span<const RedisWords> commands);

 private:
  struct Address;
  struct Link;
  explicit RedisSession(std::unique_ptr<Address> address);
  absl::Status Open();
  absl::Status ErrorOf(absl::string_view text) const;
  absl::Status Broken(absl::string_view what);

  const std::unique_ptr<Address> address_;
  std::string described_;
  std::unique_ptr<Link> link_;
};

}  // namespace tidemark

#endif  // TIDEMARK_STATE_REDIS_SESSION_H_
