// PostgreSQL in a temporary folder, on a unix socket, with fsync and synchronous_commit on.
#ifndef TIDEMARK_TESTS_SERVERS_POSTGRES_SERVER_H_
#define TIDEMARK_TESTS_SERVERS_POSTGRES_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/servers/server_child.h"

namespace tidemark::test {

// Confined to the thread that made it.
class PostgresServer {
 public:
  // Makes the database cluster and starts the server with these further settings ("name=value").
  // A failure is one of the test, with the log; ok() is false then.
  explicit PostgresServer(const std::vector<std::string>& settings = {});
  ~PostgresServer();

  // One for the whole test program.
  static PostgresServer& Shared();

  bool ok() const { return ok_; }
  // Words for libpq: the superuser "tidemark" of database "postgres".
  std::string Connection() const;
  // The same with its password in it, as a URI. The socket trusts everybody.
  std::string Uri(const std::string& password) const;
  pid_t pid() const { return process_->pid(); }

  // Runs statements as the superuser; the first column of the first row of the last one as text.
  std::string Query(const std::string& sql);

  // SIGKILL to the postmaster; its children see that and end.
  void Kill();
  void Start();

 private:
  std::string Log() const;

  ServerFolder folder_;
  std::vector<std::string> settings_;
  std::string bin_;
  std::unique_ptr<ServerChild> process_;
  bool ok_ = false;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_SERVERS_POSTGRES_SERVER_H_
