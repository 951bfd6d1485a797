#include "tests/web/web_fixture.h"

#include "absl/strings/str_cat.h"

namespace tidemark::test {

void WebFixture::Reopen() {
  syncs_.reset();
  connections_.reset();
  catalog_.reset();
  auto catalog = Catalog::Open(folder_ / "data");
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  catalog_ = *std::move(catalog);
  ConnectionBook::Options options;
  options.clock = &clock_;
  auto connections = ConnectionBook::Open(catalog_.get(), options);
  ASSERT_TRUE(connections.ok()) << connections.status();
  connections_ = *std::move(connections);
  auto syncs = SyncBook::Open(catalog_.get(), &clock_);
  ASSERT_TRUE(syncs.ok()) << syncs.status();
  syncs_ = *std::move(syncs);
}

void WebFixture::AddConnection(const std::string& name, const std::string& frequency) {
  const std::string yaml =
      absl::StrCat("name: ", name, "\nsync:\n  source: {connector: generator}\n",
                   "  destination: {type: sqlite, connection: ", folder_ / "out.db", "}\n",
                   "  frequency: ", frequency, "\n");
  const auto applied = connections_->Apply(yaml, false, 0);
  ASSERT_TRUE(applied.ok()) << applied.status();
}

SyncEntry WebFixture::EndSync(const std::string& connection, SyncPhase phase,
                              SyncListener* listener, const SyncOutcome* outcome,
                              const std::string& error, absl::Duration took) {
  SyncEntry entry;
  entry.connection = connection;
  auto added = syncs_->Add(entry);
  EXPECT_TRUE(added.ok()) << added.status();
  if (!added.ok()) return entry;
  auto started = syncs_->Start(added->sync_id);
  EXPECT_TRUE(started.ok()) << started.status();
  if (!started.ok()) return entry;
  entry = *started;
  if (listener != nullptr) listener->OnSyncStarted(entry);
  clock_.Advance(took);
  entry.phase = phase;
  entry.error = error;
  entry.ended_at_us = absl::ToUnixMicros(clock_.Now());
  if (outcome != nullptr) entry.counts = outcome->counts;
  EXPECT_TRUE(syncs_->End(entry, "").ok());
  if (listener != nullptr) listener->OnSyncEnded(entry, outcome);
  return entry;
}

}  // namespace tidemark::test
