// A server's parts with a schedule, in a fresh folder.
#ifndef TIDEMARK_TESTS_SERVICE_SCHEDULER_FIXTURE_H_
#define TIDEMARK_TESTS_SERVICE_SCHEDULER_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "service/scheduler.h"
#include "tests/service/service_fixture.h"

namespace tidemark::test {

class SchedulerFixture : public ServiceFixture {
 protected:
  void TearDown() override {
    Close();
    ServiceFixture::TearDown();
  }
  // After Open(): loaded, and nothing begins until Run() or Step().
  void MakeScheduler(Clock* clock, Catalog* catalog = nullptr) {
    Scheduler::Parts parts;
    parts.connections = connections_.get();
    parts.syncs = syncs_.get();
    parts.runner = runner_.get();
    parts.log = &log_;
    parts.clock = clock;
    parts.catalog = catalog;
    scheduler_ = std::make_unique<Scheduler>(parts);
    runner_->AddListener(scheduler_.get());
    connections_->SetListener(
        [this](const std::vector<std::string>& names) { scheduler_->OnConnectionsChanged(names); });
    scheduler_->Load();
  }
  // As a server stops.
  void Close() {
    if (scheduler_ != nullptr) scheduler_->Stop();
    if (runner_ != nullptr) runner_->Stop();
    runner_ = nullptr;
    scheduler_ = nullptr;
    syncs_ = nullptr;
    connections_ = nullptr;
    catalog_ = nullptr;
  }

  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_SERVICE_SCHEDULER_FIXTURE_H_
