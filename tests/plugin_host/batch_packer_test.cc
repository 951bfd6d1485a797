// Packing: what a plugin's batch becomes on the wire, and where messages are cut.
#include "plugin_host/batch_packer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tidemark/v1/connector.pb.h"
#include "wire/change_messages.h"
#include "wire/row_codec.h"

namespace tidemark {
namespace {

tidemark_value Int(int64_t i) { return {TIDEMARK_INT64, 0, {i}}; }
tidemark_value Of(uint32_t type) { return {type, 0, {0}}; }
tidemark_value Text(const std::string& text) {
  tidemark_value value{TIDEMARK_STRING, static_cast<uint32_t>(text.size()), {0}};
  value.u.data = text.data();
  return value;
}

// A batch of one table with two columns.
struct Given {
  std::vector<uint8_t> ops;
  std::vector<tidemark_value> values;
  std::vector<tidemark_row_meta> meta;
  std::vector<uint32_t> before_rows;
  std::vector<tidemark_value> before;
  tidemark_batch batch{};

  void Add(uint8_t op, tidemark_value first, tidemark_value second) {
    ops.push_back(op);
    values.push_back(first);
    values.push_back(second);
  }
  void AddBefore(tidemark_value first, tidemark_value second) {
    before_rows.push_back(static_cast<uint32_t>(ops.size() - 1));
    before.push_back(first);
    before.push_back(second);
  }
  const tidemark_batch& Bind() {
    batch = {};
    batch.struct_size = sizeof(batch);
    batch.row_count = static_cast<uint32_t>(ops.size());
    batch.column_count = 2;
    batch.ops = ops.data();
    batch.values = values.data();
    batch.before_count = static_cast<uint32_t>(before_rows.size());
    batch.before_rows = before_rows.data();
    batch.before = before.data();
    if (!meta.empty()) {
      batch.meta = meta.data();
      batch.meta_size = sizeof(tidemark_row_meta);
    }
    return batch;
  }
};

class BatchPackerTest : public testing::Test {
 protected:
  absl::Status Pack(Given& given) {
    messages_.clear();
    const auto columns = [](uint32_t) { return 2u; };
    if (absl::Status s = BatchPacker::CheckStructure(&given.Bind(), 1, columns); !s.ok()) return s;
    return packer_.Pack(
        given.batch,
        [&](const v1::UpdateResponse& message) {
          messages_.push_back(message.row_batch());
          return !refuse_;
        },
        &place_);
  }

  // What the receiver makes of message `i`; the values view the message.
  ChangeBatch Read(size_t i) {
    ChangeBatch batch;
    EXPECT_EQ(RowBatchFromMessage(messages_[i], &batch), absl::OkStatus());
    return batch;
  }

  BatchPacker packer_;
  ErrorPlace place_;
  bool refuse_ = false;
  std::vector<v1::RowBatch> messages_;
};

TEST_F(BatchPackerTest, RowsArriveWithOldValuesAndStamps) {
  const std::string name = "h\xc3\xa9", old = "old";
  Given given;
  given.Add(TIDEMARK_UPSERT | TIDEMARK_ON_ERROR_CONTINUE, Int(1), Text(name));
  given.Add(TIDEMARK_UPDATE, Int(2), Of(TIDEMARK_UNCHANGED));
  given.AddBefore(Int(7), Of(TIDEMARK_UNCHANGED));
  given.Add(TIDEMARK_DELETE, Int(3), Of(TIDEMARK_NULL));
  given.AddBefore(Int(3), Text(old));
  given.meta = {{10, 1, 0}, {TIDEMARK_NO_TIME, 2, 5}, {12, 3, 0}};
  ASSERT_EQ(Pack(given), absl::OkStatus());
  ASSERT_EQ(messages_.size(), 1u);
  const ChangeBatch batch = Read(0);
  EXPECT_EQ(batch.row_count, 3u);
  EXPECT_EQ(batch.kind(0), ChangeKind::kUpsert);
  EXPECT_TRUE(batch.on_error_continue(0));
  EXPECT_EQ(batch.row(0)[1].view(), name);
  EXPECT_TRUE(batch.row(1)[1].is_unchanged());
  EXPECT_EQ(batch.before_rows, (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(batch.before_row(0)[0].i64, 7);
  EXPECT_EQ(batch.before_row(1)[1].view(), old);
  ASSERT_EQ(batch.meta.size(), 3u);
  EXPECT_EQ(batch.meta[1].event_time_us, kUnknownEventTime);
  EXPECT_EQ(batch.meta[1].subsequence, 5u);
}

TEST_F(BatchPackerTest, MessagesAreCutAtOneMebibyte) {
  const std::string text(1'000, 'x');
  Given given;
  for (int64_t i = 0; i < 5'000; ++i) {
    given.Add(TIDEMARK_UPDATE, Int(i), Text(text));
    if (i % 7 == 0) given.AddBefore(Int(-i), Text(text));
  }
  given.meta.resize(given.ops.size());
  ASSERT_EQ(Pack(given), absl::OkStatus());
  EXPECT_GE(messages_.size(), 5u);
  int64_t next = 0, next_before = 0;
  for (size_t m = 0; m < messages_.size(); ++m) {
    const bool last = m + 1 == messages_.size();
    EXPECT_LE(messages_[m].ByteSizeLong(), kMessageBytes + 1024);
    EXPECT_TRUE(last || messages_[m].ByteSizeLong() >= kMessageBytes * 9 / 10);
    const ChangeBatch batch = Read(m);
    for (size_t i = 0; i < batch.before_rows.size(); ++i, next_before += 7) {
      const int64_t row = next + static_cast<int64_t>(batch.before_rows[i]);
      ASSERT_EQ(row, next_before) << "row numbers count from the message's first row";
      ASSERT_EQ(batch.before_row(i)[0].i64, -row);
    }
    for (size_t i = 0; i < batch.row_count; ++i) ASSERT_EQ(batch.row(i)[0].i64, next++);
  }
  EXPECT_EQ(next, 5'000);
}

TEST_F(BatchPackerTest, ALargeRowIsAMessageOfItsOwn) {
  const std::string large(20u << 20, 'x');
  Given given;
  given.Add(TIDEMARK_UPSERT, Int(1), Of(TIDEMARK_NULL));
  given.Add(TIDEMARK_UPSERT, Int(2), Text(large));
  given.Add(TIDEMARK_UPSERT, Int(3), Of(TIDEMARK_NULL));
  ASSERT_EQ(Pack(given), absl::OkStatus());
  ASSERT_EQ(messages_.size(), 3u);
  EXPECT_EQ(Read(1).row(0)[1].length, large.size());
  // A small batch after a large one carries nothing of it.
  Given small;
  small.Add(TIDEMARK_UPSERT, Int(4), Of(TIDEMARK_NULL));
  ASSERT_EQ(Pack(small), absl::OkStatus());
  EXPECT_LT(messages_[0].ByteSizeLong(), 100u);
  EXPECT_EQ(Read(0).row(0)[0].i64, 4);
}

TEST_F(BatchPackerTest, ARowOfAlmostTheLimitPassesAndOneAboveDoesNot) {
  const std::string fits(kMaxEncodedRowBytes - 18, 'x');
  Given given;
  given.Add(TIDEMARK_UPSERT, Int(1), Text(fits));
  ASSERT_EQ(Pack(given), absl::OkStatus());
  EXPECT_LT(messages_[0].ByteSizeLong(), kMaxMessageBytes);
  const std::string above(kMaxEncodedRowBytes - 17, 'x');
  given.values[1] = Text(above);
  EXPECT_EQ(Pack(given), absl::InvalidArgumentError(absl::StrCat(
                             "row 0 has ", kMaxEncodedRowBytes + 1, " bytes, at most 62914560")));
  EXPECT_EQ(place_.row, 0);
}

TEST_F(BatchPackerTest, TruncateCarriesNoValues) {
  Given given;
  given.Add(TIDEMARK_TRUNCATE, Of(99), Of(TIDEMARK_STRING));  // whatever stands there
  ASSERT_EQ(Pack(given), absl::OkStatus());
  EXPECT_TRUE(Read(0).row(0)[0].is_null());
}

TEST_F(BatchPackerTest, EmptyBatchesSendNothing) {
  Given given;
  EXPECT_EQ(Pack(given), absl::OkStatus());
  EXPECT_TRUE(messages_.empty());
}

TEST_F(BatchPackerTest, ErrorsNameRowAndColumn) {
  Given given;
  given.Add(TIDEMARK_UPSERT, Int(1), Int(2));
  given.Add(TIDEMARK_SNAPSHOT, Int(1), Of(TIDEMARK_UNCHANGED));
  EXPECT_EQ(Pack(given).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(place_.row, 1);
  EXPECT_EQ(place_.column, 1u);
}

TEST_F(BatchPackerTest, AReceiverThatIsGoneIsCancellation) {
  refuse_ = true;
  Given given;
  given.Add(TIDEMARK_UPSERT, Int(1), Int(2));
  EXPECT_TRUE(absl::IsCancelled(Pack(given)));
}

}  // namespace
}  // namespace tidemark
