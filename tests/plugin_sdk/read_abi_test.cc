// The layout of tidemark.read/1, and what the SDK makes of a RowReader.
#include "tidemark/read_abi.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tidemark/connector.h"
#include "tidemark/testing.h"

namespace {

// As the extension's first release has them; fields are only ever appended.
static_assert(offsetof(tidemark_read_request, struct_size) == 0);
static_assert(offsetof(tidemark_read_request, table) == 4);
static_assert(offsetof(tidemark_read_request, mode) == 8);
static_assert(offsetof(tidemark_read_request, flags) == 12);
static_assert(offsetof(tidemark_read_request, key_count) == 16);
static_assert(offsetof(tidemark_read_request, key_columns) == 20);
static_assert(offsetof(tidemark_read_request, keys) == 24);
static_assert(offsetof(tidemark_read_request, lower) == 32);
static_assert(offsetof(tidemark_read_request, upper) == 40);
static_assert(offsetof(tidemark_read_request, limit) == 48);
static_assert(offsetof(tidemark_read_request, columns) == 56);
static_assert(offsetof(tidemark_read_request, column_count) == 64);
static_assert(offsetof(tidemark_read_request, reserved) == 68);
static_assert(sizeof(tidemark_read_request) == 72);
static_assert(offsetof(tidemark_read_v1, modes) == 8);
static_assert(offsetof(tidemark_read_v1, read) == 16);
static_assert(sizeof(tidemark_read_v1) == 24);
static_assert(TIDEMARK_READ_KEYS == 1 && TIDEMARK_READ_RANGES == 2 && TIDEMARK_READ_WHOLE == 4);

using tidemark_testing::Failures;
using tidemark_testing::PluginRun;
using tidemark_testing::RunConformance;

// n and n*n; what it does wrong when it is read, the setting says.
class Squares final : public tidemark::Connector, public tidemark::RowReader {
 public:
  explicit Squares(const tidemark::Config& config) : fault_(config.GetString("fault")) {}

  absl::StatusOr<tidemark::Schema> Schema() override {
    return tidemark::Schema{
        tidemark::Table("squares").Key("n", tidemark::kLong).Column("square", tidemark::kLong),
        tidemark::Table("other").Key("n", tidemark::kLong)};
  }
  absl::Status Update(const tidemark::UpdateRequest& request, tidemark::Sink& sink) override {
    if (!request.State().empty() && request.State() != "end") {
      return absl::DataLossError("the state is not \"end\"");
    }
    for (int64_t n = 0; n < 10; ++n) {
      if (absl::Status s = Emit(n, sink); !s.ok()) return s;
    }
    return sink.Checkpoint("end");
  }
  uint32_t ReadModes(const tidemark::Table& table) override {
    return table.name() == "squares" ? tidemark::kReadKeys | tidemark::kReadRanges : 0;
  }
  absl::Status ReadRows(const tidemark::ReadRequest& request, tidemark::Sink& sink) override {
    if (fault_ == "checkpoint") return sink.Checkpoint("end");
    if (fault_ == "other") return sink.Upsert("other", {{"n", 1}});
    if (fault_ == "delete") return sink.Delete("squares", {{"n", 1}});
    for (size_t i = 0; i < request.key_count(); ++i) {
      const int64_t n = request.key(i)[0].raw().u.i64;
      if (fault_ == "keys" && n == 3) continue;
      if (absl::Status s = Emit(n, sink); !s.ok()) return s;
    }
    if (request.mode() == tidemark::kReadKeys) return absl::OkStatus();
    const int64_t begin = request.lower().empty() ? 0 : request.lower()[0].raw().u.i64;
    int64_t end = request.upper().empty() ? 10 : request.upper()[0].raw().u.i64;
    if (fault_ == "upper" && !request.upper().empty()) ++end;
    for (int64_t n = begin; n < end; ++n) {
      if (request.limit() > 0 && n - begin == static_cast<int64_t>(request.limit())) break;
      if (absl::Status s = Emit(fault_ == "order" ? begin + end - 1 - n : n, sink); !s.ok()) {
        return s;
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Emit(int64_t n, tidemark::Sink& sink) const {
    return sink.Upsert("squares", {{"n", n}, {"square", n * n}});
  }
  const std::string fault_;
};

}  // namespace

TIDEMARK_EXPORT_CONNECTOR(Squares, .id = "squares", .version = "1",
                          .options = {{"fault", tidemark::kString, tidemark::Default(""), "what"}});

namespace {

TEST(ReadAbi, ARowReaderIsFoundByItsIdAlone) {
  const tidemark_plugin& plugin = *tidemark_plugin_entry_v1();
  ASSERT_NE(plugin.extension, nullptr);
  EXPECT_NE(plugin.extension("tidemark.read/1"), nullptr);
  EXPECT_EQ(plugin.extension("tidemark.read/2"), nullptr);
  EXPECT_EQ(plugin.extension(nullptr), nullptr);
}

TEST(ReadAbi, AnHonestReaderConforms) {
  EXPECT_EQ("", Failures(RunConformance(*tidemark_plugin_entry_v1(), {})));
}

struct Fault {
  const char* fault;
  const char* said;
};
class ReadFaults : public testing::TestWithParam<Fault> {};

TEST_P(ReadFaults, AreFound) {
  const std::string failures =
      Failures(RunConformance(*tidemark_plugin_entry_v1(), {{"fault", GetParam().fault}}));
  EXPECT_TRUE(absl::StrContains(failures, "reading by keys and ranges")) << failures;
  EXPECT_TRUE(absl::StrContains(failures, GetParam().said)) << failures;
}

INSTANTIATE_TEST_SUITE_P(Read, ReadFaults,
                         testing::Values(Fault{"checkpoint", "checkpoint"},
                                         Fault{"other", "rows of another table"},
                                         Fault{"delete", "other changes than upserts"},
                                         Fault{"keys", "by 10 keys with 9 rows"},
                                         Fault{"upper", "the range"},
                                         Fault{"order", "order of its keys"}),
                         [](const auto& fault) { return std::string(fault.param.fault); });

TEST(ReadAbi, WhatATableDoesNotOfferIsUnimplementedInWords) {
  PluginRun run(*tidemark_plugin_entry_v1(), {});
  ASSERT_EQ(run.Open(), absl::OkStatus());
  tidemark_read_request request = {};
  request.struct_size = sizeof(request);
  request.mode = TIDEMARK_READ_RANGES;
  request.table = 1;
  EXPECT_EQ(run.Read(request),
            absl::UnimplementedError("table other cannot be read by ranges of keys"));
  request.table = 2;
  EXPECT_EQ(run.Read(request).code(), absl::StatusCode::kInvalidArgument);
  request.table = 0;
  const tidemark_value two[] = {{TIDEMARK_INT64, 0, {1}}, {TIDEMARK_INT64, 0, {2}}};
  request.lower = two;
  request.key_columns = 2;
  EXPECT_EQ(run.Read(request).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
