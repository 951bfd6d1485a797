// The parts of a server that web/ looks at, in a folder of their own, with a clock of the test's.
#ifndef TIDEMARK_TESTS_WEB_WEB_FIXTURE_H_
#define TIDEMARK_TESTS_WEB_WEB_FIXTURE_H_

#include <memory>
#include <string>

#include "control/log.h"
#include "control/redaction.h"
#include "gtest/gtest.h"
#include "service/catalog.h"
#include "service/connection_book.h"
#include "service/sync_book.h"
#include "service/sync_runner.h"
#include "tests/destination/destination_fixture.h"
#include "tests/pipeline/fake_clock.h"

namespace tidemark::test {

// Opens catalog and books; Reopen() is a restart of the server.
class WebFixture : public testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen();

  // A connection of the API, generator into SQLite.
  void AddConnection(const std::string& name, const std::string& frequency = "manual");

  // A sync that began `took` ago and ends now, entered in the book and told to `listener`.
  SyncEntry EndSync(const std::string& connection, SyncPhase phase, SyncListener* listener,
                    const SyncOutcome* outcome = nullptr, const std::string& error = "",
                    absl::Duration took = absl::Seconds(1));

  TemporaryFolder folder_;
  FakeClock clock_;
  Redactor redactor_;
  Log log_{LogLevel::kOff, false, &redactor_};
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<ConnectionBook> connections_;
  std::unique_ptr<SyncBook> syncs_;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_WEB_WEB_FIXTURE_H_
