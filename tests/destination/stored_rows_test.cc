// Rows read back from SQLite for comparing: in order, typed, and honest about what does not belong.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "destination/sqlite_stored_rows.h"

namespace tidemark {
namespace {

std::string Text(const Value& value) {
  switch (value.kind) {
    case ValueKind::kNull:
      return "null";
    case ValueKind::kDouble:
      return absl::StrCat("double ", value.f64);
    default:
      return value.is_text() ? absl::StrCat(static_cast<int>(value.kind), " '", value.view(), "'")
                             : absl::StrCat(static_cast<int>(value.kind), " ", value.i64);
  }
}

class StoredRowsTest : public testing::Test {
 protected:
  StoredRowsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "tidemark_XXXXXX").string();
    folder_ = mkdtemp(name.data());
    connection_ = *SqliteConnection::Open(folder_ + "/rows.db", SqliteConnection::Mode::kReadWrite);
    table_.name = "t";
  }
  ~StoredRowsTest() override {
    rows_ = nullptr;
    connection_ = nullptr;
    std::filesystem::remove_all(folder_);
  }

  void Column(const std::string& name, DataType type) {
    TargetColumn& column = table_.columns.emplace_back();
    column.name = name;
    column.type.type = type;
  }
  void Run(const std::string& sql) { ASSERT_EQ(connection_->Execute(sql), absl::OkStatus()); }
  void Open(const std::vector<size_t>& key) {
    auto rows = OpenSqliteStoredRows(*connection_, table_, key);
    ASSERT_TRUE(rows.ok()) << rows.status();
    rows_ = *std::move(rows);
  }
  // The rows of a range, "a|b" each.
  std::vector<std::string> Range(const std::vector<Value>& lower, const std::vector<Value>& upper) {
    std::vector<std::string> texts;
    EXPECT_EQ(rows_->ReadRange(lower, upper, Collect(&texts)), absl::OkStatus());
    return texts;
  }
  std::vector<std::string> Key(const std::vector<Value>& key) {
    std::vector<std::string> texts;
    EXPECT_EQ(rows_->ReadKey(key, Collect(&texts)), absl::OkStatus());
    return texts;
  }
  static std::function<absl::Status(absl::Span<const Value>)> Collect(
      std::vector<std::string>* texts) {
    return [texts](absl::Span<const Value> row) {
      texts->push_back(absl::StrJoin(
          row, "|", [](std::string* out, const Value& value) { out->append(Text(value)); }));
      return absl::OkStatus();
    };
  }

  std::string folder_;
  std::unique_ptr<SqliteConnection> connection_;
  TargetTable table_;
  std::unique_ptr<StoredRows> rows_;
};

using Texts = std::vector<std::string>;

TEST_F(StoredRowsTest, ValuesComeInTheKindOfTheirColumn) {
  const struct {
    DataType type;
    const char* stored;  // SQL
    const char* read;
  } cases[] = {
      {DataType::kBoolean, "1", "2 1"},
      {DataType::kBoolean, "7", "3 7"},
      {DataType::kLong, "-5", "3 -5"},
      {DataType::kLong, "'five'", "6 'five'"},
      {DataType::kDouble, "1.5", "double 1.5"},
      {DataType::kDecimal, "'1.10'", "5 '1.10'"},
      {DataType::kString, "'007'", "6 '007'"},
      {DataType::kJson, "'{}'", "8 '{}'"},
      {DataType::kBinary, "x'6162'", "7 'ab'"},
      {DataType::kNaiveDate, "'1970-01-03'", "9 2"},
      {DataType::kNaiveDate, "'1970-1-3'", "6 '1970-1-3'"},
      {DataType::kNaiveTime, "'00:00:01.000000'", "10 1000000"},
      {DataType::kNaiveTime, "'00:00:01'", "6 '00:00:01'"},
      {DataType::kUtcDatetime, "'1970-01-01T00:00:01.000000Z'", "11 1000000"},
      {DataType::kUtcDatetime, "'1970-01-01T00:00:01Z'", "6 '1970-01-01T00:00:01Z'"},
      {DataType::kUtcDatetime, "'infinity'", "11 9223372036854775807"},
      {DataType::kNaiveDatetime, "'1970-01-01T00:00:01.000000'", "12 1000000"},
      {DataType::kString, "NULL", "null"},
  };
  int n = 0;
  for (const auto& c : cases) {
    table_ = TargetTable();
    table_.name = absl::StrCat("t", ++n);
    Column("id", DataType::kLong);
    Column("v", c.type);
    Run(absl::StrCat("CREATE TABLE ", table_.name, "(id, v); INSERT INTO ", table_.name,
                     " VALUES (1, ", c.stored, ")"));
    Open({0});
    EXPECT_EQ(Range({}, {}), Texts{absl::StrCat("3 1|", c.read)}) << n;
  }
}

TEST_F(StoredRowsTest, RangesAreInTheOrderOfTheKeyAndHalfOpen) {
  Column("b", DataType::kLong);
  Column("a", DataType::kString);
  Run("CREATE TABLE t(b INTEGER, a TEXT, PRIMARY KEY(a, b));"
      "INSERT INTO t VALUES (10, 'x'), (9, 'x'), (1, 'y'), (5, 'B'), (5, 'a')");
  Open({1, 0});
  EXPECT_EQ(Range({}, {}),
            (Texts{"3 5|6 'B'", "3 5|6 'a'", "3 9|6 'x'", "3 10|6 'x'", "3 1|6 'y'"}));
  EXPECT_EQ(Range({Value::String("x"), Value::Int64(10)}, {}), (Texts{"3 10|6 'x'", "3 1|6 'y'"}));
  EXPECT_EQ(Range({Value::String("a"), Value::Int64(0)}, {Value::String("x"), Value::Int64(10)}),
            (Texts{"3 5|6 'a'", "3 9|6 'x'"}));
  EXPECT_EQ(Key({Value::String("x"), Value::Int64(9)}), Texts{"3 9|6 'x'"});
  EXPECT_EQ(Key({Value::String("x"), Value::Int64(8)}), Texts());
}

TEST_F(StoredRowsTest, RowsMarkedAsDeletedAreAbsent) {
  Column("id", DataType::kLong);
  Column("gone", DataType::kString);  // only NULLs came: not in the file
  Run("CREATE TABLE t(id INTEGER PRIMARY KEY, _tidemark_synced TEXT, _tidemark_deleted);"
      "INSERT INTO t VALUES (1, '2024-01-01', 0), (2, '2024-01-03', 1), (3, '2024-01-02', NULL)");
  Open({0});
  EXPECT_EQ(Range({}, {}), (Texts{"3 1|null", "3 3|null"}));
  EXPECT_EQ(Key({Value::Int64(2)}), Texts());
  Texts newest;
  const auto collect = [&newest](absl::Span<const Value> row, bool deleted) {
    newest.push_back(absl::StrCat(row[0].i64, deleted ? " deleted" : ""));
    return absl::OkStatus();
  };
  ASSERT_EQ(rows_->ReadNewest(2, collect), absl::OkStatus());
  EXPECT_EQ(newest, (Texts{"2 deleted", "3"}));
}

TEST_F(StoredRowsTest, KeysOfTimesAreFound) {
  Column("at", DataType::kUtcDatetime);
  Run("CREATE TABLE t(at TEXT PRIMARY KEY);"
      "INSERT INTO t VALUES ('1970-01-01T00:00:01.000000Z'), ('1970-01-01T00:00:02.000000Z')");
  Open({0});
  const Value two = Value::Int(ValueKind::kTimestamp, 2'000'000);
  EXPECT_EQ(Key({two}), Texts{"11 2000000"});
  EXPECT_EQ(Range({}, {two}), Texts{"11 1000000"});
}

TEST_F(StoredRowsTest, ATableThatIsNotThereIsNotFound) {
  Column("id", DataType::kLong);
  EXPECT_EQ(OpenSqliteStoredRows(*connection_, table_, {0}).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(StoredRowsTest, AnErrorOfTheCallerEndsTheStream) {
  Column("id", DataType::kLong);
  Run("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)");
  Open({0});
  int calls = 0;
  const absl::Status status = rows_->ReadRange({}, {}, [&calls](absl::Span<const Value>) {
    return ++calls == 2 ? absl::AbortedError("enough") : absl::OkStatus();
  });
  EXPECT_EQ(status, absl::AbortedError("enough"));
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace tidemark
