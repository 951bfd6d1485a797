// One connection to a PostgreSQL server, by libpq. The only file that sees libpq-fe.h is
// postgres_session.cc.
#ifndef TIDEMARK_STATE_POSTGRES_SESSION_H_
#define TIDEMARK_STATE_POSTGRES_SESSION_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark {

// The parameters of one statement ($1, $2, ..), in binary form. Text must be UTF-8 without U+0000.
class PostgresParameters {
 public:
  PostgresParameters& Int(int64_t value);
  PostgresParameters& Text(absl::string_view value);   // copied
  PostgresParameters& Bytes(absl::string_view value);  // borrowed until the statement has run
  PostgresParameters& NullInt();

 private:
  friend class PostgresSession;
  std::deque<std::string> owned_;  // values point into it
  std::vector<uint32_t> types_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
};

// The result of a statement. Row and column count from 0. A value's kind is known to the caller;
// integers may be of 2, 4 or 8 bytes.
class PostgresRows {
 public:
  ~PostgresRows();
  PostgresRows(PostgresRows&& other) noexcept;
  PostgresRows& operator=(PostgresRows&& other) noexcept;

  int count() const;
  // Rows that an INSERT, UPDATE or DELETE touched.
  int64_t touched() const;
  bool IsNull(int row, int column) const;
  int64_t Int(int row, int column) const;  // 0 for NULL
  absl::string_view Bytes(int row, int column) const;
  std::string String(int row, int column) const { return std::string(Bytes(row, column)); }

 private:
  friend class PostgresSession;
  struct Result;
  explicit PostgresRows(std::unique_ptr<Result> result);
  std::unique_ptr<Result> result_;
};

// Confined to one thread. Errors name the server and never hold the connection string:
//   NOT_FOUND            the database, schema or a table is not there
//   UNAVAILABLE          the server does not answer, or is starting, stopping or locked
//   UNAUTHENTICATED, PERMISSION_DENIED
//   RESOURCE_EXHAUSTED   disk, memory or connections of the server are used up
//   DATA_LOSS            the server found its files damaged
//   INVALID_ARGUMENT     the connection string, or text that is not UTF-8
//   FAILED_PRECONDITION  a read-only server
class PostgresSession {
 public:
  // `connection_string`: a postgresql:// URI or key=value words. Nothing is connected yet.
  // INVALID_ARGUMENT: it is neither.
  static absl::StatusOr<std::unique_ptr<PostgresSession>> Create(
      const std::string& connection_string);
  ~PostgresSession();
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;

  // "PostgreSQL database NAME at HOST": never a user or password.
  const std::string& Describe() const { return described_; }

  // Connects where there is no connection, or a broken one.
  absl::Status Connect();
  // The connection broke since Connect(): what ran last may have happened or not.
  bool lost() const;
  // Forgets the connection, so that the next Connect() makes a new one.
  void Disconnect();

  // One statement.
  absl::StatusOr<PostgresRows> Run(const std::string& sql,
                                   const PostgresParameters& parameters = {});
  // Several statements without parameters or interest in rows.
  absl::Status Execute(const std::string& sql);

 private:
  struct Link;
  explicit PostgresSession(std::string connection_string);
  absl::StatusOr<PostgresRows> Await();
  absl::Status Broken(absl::string_view what) const;

  const std::string connection_string_;
  std::string described_;
  std::unique_ptr<Link> link_;
};

}  // namespace tidemark

#endif  // TIDEMARK_STATE_POSTGRES_SESSION_H_
