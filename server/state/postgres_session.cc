#include "state/postgres_session.h"

#include <libpq-fe.h>
#include <poll.h>

#include <cerrno>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "state/server_url.h"

namespace tidemark {
namespace {

// Type numbers of pg_type.dat.
constexpr uint32_t kInt8 = 20;
constexpr uint32_t kText = 25;
constexpr uint32_t kBytea = 17;
constexpr int kBinary = 1;
// A server that says nothing for so long is taken for gone; its own limits end a statement sooner
// (PostgresStateStore).
constexpr absl::Duration kSilence = absl::Seconds(90);

absl::StatusCode CodeOf(absl::string_view state) {
  struct Kind {
    const char* prefix;  // of the SQLSTATE (PostgreSQL 15 manual, Appendix A)
    absl::StatusCode code;
  };
  static constexpr Kind kKinds[] = {
      {"3D000", absl::StatusCode::kNotFound},
      {"3F000", absl::StatusCode::kNotFound},
      {"42P01", absl::StatusCode::kNotFound},
      {"42501", absl::StatusCode::kPermissionDenied},
      {"28", absl::StatusCode::kUnauthenticated},
      {"53", absl::StatusCode::kResourceExhausted},
      {"08", absl::StatusCode::kUnavailable},
      {"57", absl::StatusCode::kUnavailable},
      {"55P03", absl::StatusCode::kUnavailable},
      {"40", absl::StatusCode::kUnavailable},
      {"25P03", absl::StatusCode::kUnavailable},
      {"25006", absl::StatusCode::kFailedPrecondition},
      {"58030", absl::StatusCode::kUnavailable},
      {"XX001", absl::StatusCode::kDataLoss},
      {"XX002", absl::StatusCode::kDataLoss},
      {"22021", absl::StatusCode::kInvalidArgument},
      {"42703", absl::StatusCode::kFailedPrecondition},
  };
  for (const Kind& kind : kKinds) {
    if (absl::StartsWith(state, kind.prefix)) return kind.code;
  }
  return absl::StatusCode::kInternal;
}

std::string OneLine(absl::string_view text) {
  return absl::StrReplaceAll(absl::StripAsciiWhitespace(text), {{"\n", "; "}, {"\t", " "}});
}

// What libpq makes of the words that say where the server is.
std::string DescribeServer(const PQconninfoOption* options) {
  std::string host;
  std::string port;
  std::string database;
  for (; options != nullptr && options->keyword != nullptr; ++options) {
    const std::string value = options->val == nullptr ? "" : options->val;
    const absl::string_view keyword = options->keyword;
    if (keyword == "host" || (keyword == "hostaddr" && host.empty())) host = value;
    if (keyword == "port") port = value;
    if (keyword == "dbname") database = value;
  }
  return absl::StrCat("PostgreSQL database", database.empty() ? "" : " ", database, " at ",
                      host.empty() ? "the local socket" : host, port.empty() ? "" : ":", port);
}

}  // namespace

struct PostgresRows::Result {
  PGresult* rows = nullptr;
  ~Result() { PQclear(rows); }
};

PostgresRows::PostgresRows(std::unique_ptr<Result> result) : result_(std::move(result)) {}
PostgresRows::~PostgresRows() = default;
PostgresRows::PostgresRows(PostgresRows&& other) noexcept = default;
PostgresRows& PostgresRows::operator=(PostgresRows&& other) noexcept = default;

int PostgresRows::count() const { return PQntuples(result_->rows); }
int64_t PostgresRows::touched() const {
  return std::strtoll(PQcmdTuples(result_->rows), nullptr, 10);
}
bool PostgresRows::IsNull(int row, int column) const {
  return PQgetisnull(result_->rows, row, column) != 0;
}
absl::string_view PostgresRows::Bytes(int row, int column) const {
  return absl::string_view(PQgetvalue(result_->rows, row, column),
                           static_cast<size_t>(PQgetlength(result_->rows, row, column)));
}
int64_t PostgresRows::Int(int row, int column) const {
  const absl::string_view bytes = Bytes(row, column);  // big-endian two's complement
  if (bytes.empty()) return 0;
  uint64_t value = (static_cast<unsigned char>(bytes[0]) & 0x80) != 0 ? ~uint64_t{0} : 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<int64_t>(value);
}

PostgresParameters& PostgresParameters::Int(int64_t value) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) {
    bytes[7 - i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
  }
  owned_.push_back(std::move(bytes));
  types_.push_back(kInt8);
  values_.push_back(owned_.back().data());
  lengths_.push_back(8);
  return *this;
}

PostgresParameters& PostgresParameters::Text(absl::string_view value) {
  owned_.emplace_back(value);
  types_.push_back(kText);
  values_.push_back(owned_.back().c_str());  // never null: an empty text is no NULL
  lengths_.push_back(static_cast<int>(value.size()));
  return *this;
}

PostgresParameters& PostgresParameters::Bytes(absl::string_view value) {
  types_.push_back(kBytea);
  values_.push_back(value.data() == nullptr ? "" : value.data());
  lengths_.push_back(static_cast<int>(value.size()));
  return *this;
}

PostgresParameters& PostgresParameters::NullInt() {
  types_.push_back(kInt8);
  values_.push_back(nullptr);
  lengths_.push_back(0);
  return *this;
}

struct PostgresSession::Link {
  PGconn* connection = nullptr;
  ~Link() { PQfinish(connection); }
};

absl::StatusOr<std::unique_ptr<PostgresSession>> PostgresSession::Create(
    const std::string& connection_string) {
  if (absl::Status s = CheckCredentials(connection_string); !s.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the connection string of PostgreSQL: ", s.message()));
  }
  char* error = nullptr;
  PQconninfoOption* const options = PQconninfoParse(connection_string.c_str(), &error);
  if (options == nullptr) {
    PQfreemem(error);  // it repeats parts of the text, which may be the password
    return absl::InvalidArgumentError(
        "the connection string of PostgreSQL cannot be understood; expected "
        "postgresql://USER:PASSWORD@HOST:PORT/DATABASE or words like host=/run/postgresql "
        "dbname=state");
  }
  std::unique_ptr<PostgresSession> session(new PostgresSession(connection_string));
  session->described_ = DescribeServer(options);
  PQconninfoFree(options);
  return session;
}

PostgresSession::PostgresSession(std::string connection_string)
    : connection_string_(std::move(connection_string)) {}
PostgresSession::~PostgresSession() = default;

bool PostgresSession::lost() const {
  return link_ == nullptr || PQstatus(link_->connection) != CONNECTION_OK;
}

void PostgresSession::Disconnect() { link_ = nullptr; }

absl::Status PostgresSession::Broken(absl::string_view what) const {
  return absl::UnavailableError(absl::StrCat(described_, " does not answer: ", what));
}

absl::Status PostgresSession::Connect() {
  if (!lost()) return absl::OkStatus();
  // Words before "dbname" are defaults, the ones behind it are fixed.
  const char* const words[] = {"connect_timeout",  "keepalives_idle",  "keepalives_interval",
                               "keepalives_count", "tcp_user_timeout", "application_name",
                               "dbname",           "client_encoding",  nullptr};
  const char* const values[] = {
      "10", "10", "5", "3", "30000", "tidemark", connection_string_.c_str(), "UTF8", nullptr};
  link_ = std::make_unique<Link>();
  link_->connection = PQconnectdbParams(words, values, 1);
  if (link_->connection == nullptr) return absl::ResourceExhaustedError("no memory for libpq");
  if (PQstatus(link_->connection) != CONNECTION_OK) {
    const std::string text = OneLine(PQerrorMessage(link_->connection));
    const bool password = PQconnectionNeedsPassword(link_->connection) != 0 ||
                          absl::StrContains(text, "authentication failed");
    const bool database =
        absl::StrContains(text, "database \"") && absl::StrContains(text, "\" does not exist");
    link_ = nullptr;
    if (password) return absl::UnauthenticatedError(absl::StrCat(described_, ": ", text));
    if (database) return absl::NotFoundError(absl::StrCat(described_, ": ", text));
    return Broken(text);
  }
  PQsetNoticeProcessor(link_->connection, [](void*, const char*) {}, nullptr);
  return absl::OkStatus();
}

absl::StatusOr<PostgresRows> PostgresSession::Await() {
  PGconn* const connection = link_->connection;
  std::unique_ptr<PostgresRows::Result> last;
  while (true) {
    while (PQisBusy(connection) != 0) {
      pollfd waiting = {PQsocket(connection), POLLIN, 0};
      const int ready = poll(&waiting, 1, static_cast<int>(kSilence / absl::Milliseconds(1)));
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) {
        link_ = nullptr;
        return Broken(absl::StrCat("silent for ", absl::FormatDuration(kSilence)));
      }
      if (PQconsumeInput(connection) == 0) return Broken(OneLine(PQerrorMessage(connection)));
    }
    PGresult* const result = PQgetResult(connection);
    if (result == nullptr) break;
    // Of several statements the first error counts: the others were not run.
    const bool failed = last != nullptr && PQresultStatus(last->rows) == PGRES_FATAL_ERROR;
    if (failed) {
      PQclear(result);
      continue;
    }
    last = std::make_unique<PostgresRows::Result>();
    last->rows = result;
  }
  if (last == nullptr) return Broken(OneLine(PQerrorMessage(connection)));
  const ExecStatusType status = PQresultStatus(last->rows);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) {
    return PostgresRows(std::move(last));
  }
  const char* const state = PQresultErrorField(last->rows, PG_DIAG_SQLSTATE);
  const char* const primary = PQresultErrorField(last->rows, PG_DIAG_MESSAGE_PRIMARY);
  const std::string text = OneLine(primary != nullptr ? primary : PQresultErrorMessage(last->rows));
  if (state == nullptr || lost()) return Broken(text);
  return absl::Status(CodeOf(state), absl::StrCat(described_, ": ", text, " (", state, ")"));
}

absl::StatusOr<PostgresRows> PostgresSession::Run(const std::string& sql,
                                                  const PostgresParameters& parameters) {
  if (lost()) return Broken("the connection is gone");
  const std::vector<int> formats(parameters.values_.size(), kBinary);
  if (PQsendQueryParams(link_->connection, sql.c_str(), static_cast<int>(parameters.values_.size()),
                        parameters.types_.data(), parameters.values_.data(),
                        parameters.lengths_.data(), formats.data(), kBinary) == 0) {
    return Broken(OneLine(PQerrorMessage(link_->connection)));
  }
  return Await();
}

absl::Status PostgresSession::Execute(const std::string& sql) {
  if (lost()) return Broken("the connection is gone");
  if (PQsendQuery(link_->connection, sql.c_str()) == 0) {
    return Broken(OneLine(PQerrorMessage(link_->connection)));
  }
  return Await().status();
}

}  // namespace tidemark
