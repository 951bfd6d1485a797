#include "tests/servers/postgres_server.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace tidemark::test {

PostgresServer::PostgresServer(const std::vector<std::string>& settings) : settings_(settings) {
  const std::string initdb = RequireProgram({"/usr/lib/postgresql/*/bin/initdb"}, "postgresql-15");
  if (initdb.empty()) return;
  bin_ = std::filesystem::path(initdb).parent_path();
  // The cluster itself need not survive a power cut, what the tests write must: only initdb may
  // leave its files to the cache.
  ServerChild made({initdb, "-D", folder_.path() + "/data", "-U", "tidemark", "-A", "trust", "-E",
                    "UTF8", "--locale=C", "--no-sync", "--no-instructions"},
                   folder_.path(), folder_.path() + "/log");
  if (made.Wait() != 0) {
    ADD_FAILURE() << "initdb failed:\n" << Log();
    return;
  }
  Start();
}

PostgresServer::~PostgresServer() {
  if (process_ != nullptr) process_->End(SIGQUIT);
}

PostgresServer& PostgresServer::Shared() {
  static PostgresServer server;
  return server;
}

std::string PostgresServer::Log() const {
  std::ifstream file(folder_.path() + "/log");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string PostgresServer::Connection() const {
  return "host=" + folder_.path() + " user=tidemark dbname=postgres";
}

std::string PostgresServer::Uri(const std::string& password) const {
  std::string host;
  for (const char c : folder_.path()) host += c == '/' ? std::string("%2F") : std::string(1, c);
  return "postgresql://tidemark:" + password + "@" + host + "/postgres";
}

void PostgresServer::Start() {
  std::vector<std::string> words = {bin_ + "/postgres",    "-D", folder_.path() + "/data", "-k",
                                    folder_.path(),        "-c", "listen_addresses=",      "-c",
                                    "shared_buffers=16MB", "-c", "max_connections=40"};
  for (const std::string& setting : settings_) {
    words.emplace_back("-c");
    words.push_back(setting);
  }
  const std::string connection = Connection();
  // After kill -9 of the postmaster its backends may live on for a moment; until they are gone a
  // new postmaster refuses to start.
  constexpr int kTries = 100;
  for (int tries = 0; tries < kTries; ++tries) {
    process_ = std::make_unique<ServerChild>(words, folder_.path(), folder_.path() + "/log");
    ok_ = WaitUntilReady(*process_, 60, [&] { return PQping(connection.c_str()) == PQPING_OK; });
    if (ok_ || Log().find("pre-existing shared memory block") == std::string::npos) break;
  }
  if (!ok_) ADD_FAILURE() << "PostgreSQL did not start:\n" << Log();
}

void PostgresServer::Kill() { process_->End(SIGKILL); }

std::string PostgresServer::Query(const std::string& sql) {
  PGconn* const connection = PQconnectdb(Connection().c_str());
  PGresult* const result = PQexec(connection, sql.c_str());
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    ADD_FAILURE() << sql << ": " << PQerrorMessage(connection);
  }
  std::string value;
  if (PQntuples(result) > 0) value = PQgetvalue(result, 0, 0);
  PQclear(result);
  PQfinish(connection);
  return value;
}

}  // namespace tidemark::test
