// sync.max_rows_per_second on a server: one limit for all who work on a connection.
#include "service/connection_rates.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/service/ingest_fixture.h"

namespace tidemark::test {
namespace {

TEST(ConnectionRatesTest, AreSharedByNameWhileSomebodyUsesThemOrSomethingIsOwed) {
  ConnectionRates rates;
  absl::Duration now = absl::Hours(1);
  EXPECT_EQ(rates.Of("free", {}, now), nullptr);
  std::shared_ptr<RateLimit> first = rates.Of("shop", {.rows = 10}, now);
  EXPECT_EQ(rates.Of("shop", {.rows = 10}, now), first);
  EXPECT_NE(rates.Of("crm", {.rows = 10}, now), first);
  // A changed definition: those who run go on with theirs.
  EXPECT_NE(rates.Of("shop", {.rows = 20}, now), first);
  first = rates.Of("shop", {.rows = 10}, now);
  // The sync ends and leaves something to be paid for by the next.
  first->Take(100, 0, now);
  first = nullptr;
  now += absl::Seconds(5);
  EXPECT_EQ(rates.Of("shop", {.rows = 10}, now)->Owed(now), absl::Seconds(4));
  now += absl::Hours(1);
  EXPECT_EQ(rates.Of("shop", {.rows = 10}, now)->Owed(now), absl::ZeroDuration());
}

TEST_F(IngestFixture, ProducersOfAConnectionShareItsLimitAndAreHeldBack) {
  Ingested("orders", "", "  max_rows_per_second: 400\n");
  Serve();
  std::unique_ptr<PushConnection> streams[] = {Begin("orders", "a"), Begin("orders", "b")};
  const absl::Time begin = absl::Now();
  for (uint64_t message = 1; message <= 4; ++message) {
    for (size_t i = 0; i < 2; ++i) {
      streams[i]->Send(
          RowsRequest(message, i == 0 ? "a" : "b", static_cast<int64_t>(message) * 100, 100));
    }
  }
  for (const auto& stream : streams) ASSERT_TRUE(stream->AwaitAcknowledged(4));
  // 800 rows: a second's worth at once, and the last that were taken before they were paid for.
  EXPECT_GE(absl::Now() - begin, absl::Milliseconds(700));
  EXPECT_EQ(Count("a"), 400);
  EXPECT_EQ(Count("b"), 400);
}

}  // namespace
}  // namespace tidemark::test
