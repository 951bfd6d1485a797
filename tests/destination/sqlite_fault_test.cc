// The n-th write or sync of a small sync fails, for every n: nothing that was said to be durable is
// lost, nothing else is there, and the file goes on working.
#include <map>
#include <string>

#include "tests/destination/destination_fixture.h"
#include "tests/destination/fault_vfs.h"

namespace tidemark {
namespace {

constexpr int kCommits = 2;

TargetTable Target() {
  return Table("t", {KeyColumn("id", Declared(DataType::kLong)),
                     ValueColumn("text", Declared(DataType::kString))});
}

// The rows after `version` commits: each rewrites all rows and adds some.
std::string Model(int64_t version) {
  std::string rows;
  for (int64_t id = 0; id < version * 20; ++id) absl::StrAppend(&rows, id, "|", version, "\n");
  return rows;
}

// One commit group of version `version`; its status.
absl::Status WriteVersion(Destination& destination, int64_t version) {
  auto transaction = destination.Begin();
  if (!transaction.ok()) return transaction.status();
  std::vector<SchemaChange> changes;
  auto handle = (*transaction)->EnsureTable(Target(), &changes);
  if (!handle.ok()) return handle.status();
  const std::string text = absl::StrCat(version);
  std::vector<Change> rows;
  rows.reserve(static_cast<size_t>(version) * 20);
  for (int64_t id = 0; id < version * 20; ++id) {
    rows.push_back({ChangeKind::kUpsert, {Value::Int64(id), Value::String(text)}});
  }
  ChangeCounts counts;
  std::vector<RefusedRow> refused;
  absl::Status status =
      (*transaction)->Apply(Batch(*handle, rows), {version, false}, &counts, &refused);
  if (!status.ok()) return status;
  CommitRequest request;
  request.sync_id = "s";
  request.group_id = absl::StrCat("g", version);
  request.entries.push_back({"", version - 1, StateKind::kNormal, State(text), counts});
  request.last_synced_us = version;
  return (*transaction)->Commit(request).status();
}

// Runs the sync under the plan; the last version that was said to be durable. `error` is the
// first status that was not OK.
int64_t RunSync(const std::string& path, Clock* clock, absl::Status* error) {
  auto destination = OpenSqliteDestination({path, "tidemark test", clock});
  *error = destination.status();
  if (!error->ok()) return 0;
  auto acquired = (*destination)->Acquire({"c", "test", {}, {}});
  *error = acquired.status();
  if (!error->ok()) return 0;
  int64_t durable =
      acquired->states.empty() ? 0 : static_cast<int64_t>(acquired->states[0].version);
  for (int64_t version = durable + 1; version <= kCommits; ++version) {
    *error = WriteVersion(**destination, version);
    if (!error->ok()) return durable;
    durable = version;
  }
  return durable;
}

// What the file holds now: rows and state of one version, the last durable one. A commit whose sync
// failed for good may turn out to be there after all; then it was ABORTED, and whole.
void CheckFile(const std::string& path, Clock* clock, int64_t durable,
               const absl::Status& error = absl::OkStatus()) {
  auto destination = OpenSqliteDestination({path, "tidemark test", clock});
  ASSERT_TRUE(destination.ok()) << destination.status();
  auto acquired = (*destination)->Acquire({"c", "test", {}, {}});
  ASSERT_TRUE(acquired.ok()) << acquired.status();
  const int64_t version =
      acquired->states.empty() ? 0 : static_cast<int64_t>(acquired->states[0].version);
  // Invariant I1, and nothing durable is lost.
  const bool unknown = absl::IsAborted(error) && version == durable + 1;
  EXPECT_TRUE(version == durable || unknown) << version << " after " << durable;
  EXPECT_EQ("ok\n", Query(path, "PRAGMA integrity_check"));
  if (version > 0) {
    EXPECT_EQ(Model(version), Query(path, "SELECT id, text FROM t ORDER BY id"));
  }
}

struct Mode {
  const char* name;
  int code;
  bool stays;
};

class SqliteFaultTest : public testing::TestWithParam<Mode> {};

TEST_P(SqliteFaultTest, NothingIsLostWhicheverOperationFails) {
  StandingClock clock;
  bool fired = true;
  int fault = 0;
  std::map<absl::StatusCode, int> codes;
  while (fired) {
    SCOPED_TRACE(absl::StrCat("operation ", ++fault));
    TemporaryFolder folder;
    const std::string path = folder / "w.db";
    int64_t durable = 0;
    absl::Status error;
    {
      FaultVfs vfs({fault, GetParam().code, GetParam().stays});
      durable = RunSync(path, &clock, &error);
      fired = vfs.fired();
    }
    if (!error.ok()) {
      ++codes[error.code()];
      EXPECT_TRUE(absl::IsResourceExhausted(error) || absl::IsUnavailable(error) ||
                  absl::IsAborted(error))
          << error;
      EXPECT_NE(std::string::npos, error.message().find(path)) << error;
    }
    CheckFile(path, &clock, durable, error);
    EXPECT_EQ(kCommits, RunSync(path, &clock, &error)) << error;
    CheckFile(path, &clock, kCommits);
    if (HasFatalFailure() || HasNonfatalFailure()) break;
  }
  EXPECT_GT(fault, 20);
  EXPECT_GT(codes[absl::StatusCode::kResourceExhausted] + codes[absl::StatusCode::kUnavailable] +
                codes[absl::StatusCode::kAborted],
            10);
}

INSTANTIATE_TEST_SUITE_P(All, SqliteFaultTest,
                         testing::Values(Mode{"FullOnce", SQLITE_FULL, false},
                                         Mode{"FullForGood", SQLITE_FULL, true},
                                         Mode{"BrokenOnce", SQLITE_IOERR_WRITE, false},
                                         Mode{"BrokenForGood", SQLITE_IOERR_WRITE, true}),
                         [](const auto& mode) { return mode.param.name; });

// After a full disk the same destination goes on once there is space again.
TEST(SqliteFullDiskTest, TheSameDestinationGoesOn) {
  StandingClock clock;
  TemporaryFolder folder;
  for (int fault = 1; fault < 200; ++fault) {
    FaultVfs vfs({0, SQLITE_FULL, false});
    auto destination = OpenSqliteDestination({folder / absl::StrCat(fault), "test", &clock});
    ASSERT_TRUE(destination.ok());
    ASSERT_TRUE((*destination)->Acquire({"c", "test", {}, {}}).ok());
    ASSERT_TRUE(WriteVersion(**destination, 1).ok());
    const int before = vfs.operations();
    vfs.Replan({before + fault, SQLITE_FULL, false});
    absl::Status status = WriteVersion(**destination, 2);
    if (!vfs.fired()) {
      EXPECT_GT(fault, 3);
      return;
    }
    if (!status.ok()) status = WriteVersion(**destination, 2);
    EXPECT_TRUE(status.ok()) << "operation " << fault << ": " << status;
  }
  FAIL() << "the commit never ran through";
}

}  // namespace
}  // namespace tidemark
