// tidemark.v1.Ingest: programs push their changes (proto/tidemark/v1/ingest.proto).
#ifndef TIDEMARK_SERVICE_INGEST_SERVICE_H_
#define TIDEMARK_SERVICE_INGEST_SERVICE_H_

#include <cstddef>
#include <memory>

#include "absl/time/time.h"
#include "control/log.h"
#include "control/redaction.h"
#include "core/clock.h"
#include "service/call_gate.h"
#include "service/connection_book.h"
#include "service/sync_runner.h"

namespace grpc {
class Service;
}

namespace tidemark {

struct IngestLimits {
  int streams = 64;                              // with a sync, at once
  size_t half_open = 1'024;                      // admitted, whose first message is not there
  absl::Duration start = absl::Seconds(10);      // within which that has to come
  absl::Duration idle = absl::Minutes(15);       // without a message
  absl::Duration open_idle = absl::Seconds(10);  // ... while rows wait for their checkpoint
  absl::Duration finish = absl::Seconds(10);     // for a client to take the last answers
  absl::Duration look = absl::Seconds(1);        // how often streams are looked after
  absl::Duration readmit = absl::Seconds(10);    // how often a caller is asked for again
};

// Each stream is the sync of "<connection>/<producer>" (SyncRunner::RunOwn). It has a thread, named
// "ingest", from when its start is accepted and no other stream of the producer runs; before that,
// streams hold nothing but memory, however many they are.
//
// Thread-safe. The end: BeginStop(); SyncRunner::Stop(); GrpcServer::Stop(); then this is
// destroyed, before the services that it made.
class IngestService {
 public:
  struct Parts {  // all borrowed
    CallGate* gate = nullptr;
    ConnectionBook* connections = nullptr;
    SyncRunner* runner = nullptr;
    Redactor* redactor = nullptr;
    Log* log = nullptr;
    Clock* clock = nullptr;
  };

  explicit IngestService(Parts parts, IngestLimits limits = {});
  ~IngestService();
  IngestService(const IngestService&) = delete;
  IngestService& operator=(const IngestService&) = delete;

  // For GrpcServer::ServiceFactory; borrows this.
  std::unique_ptr<grpc::Service> NewService();

  // From now on streams are answered UNAVAILABLE, reason SHUTTING_DOWN; those without a sync end.
  void BeginStop();

 private:
  class Work;
  const std::unique_ptr<Work> work_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_INGEST_SERVICE_H_
