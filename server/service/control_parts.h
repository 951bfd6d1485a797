// What the Control service works with. All of it is borrowed and thread-safe.
#ifndef TIDEMARK_SERVICE_CONTROL_PARTS_H_
#define TIDEMARK_SERVICE_CONTROL_PARTS_H_

#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "access/audit_log.h"
#include "access/next_master_key.h"
#include "access/secret_store.h"
#include "access/token_store.h"
#include "control/log.h"
#include "control/plugin_search.h"
#include "control/redaction.h"
#include "core/clock.h"
#include "service/call_gate.h"
#include "service/catalog.h"
#include "service/connection_book.h"
#include "service/connection_standing.h"
#include "service/settings.h"
#include "service/sync_book.h"
#include "service/sync_runner.h"

namespace tidemark {

struct ControlParts {
  const ServerSettings* settings = nullptr;
  Catalog* catalog = nullptr;
  ConnectionBook* connections = nullptr;
  SyncBook* syncs = nullptr;
  SyncRunner* runner = nullptr;
  TokenStore* tokens = nullptr;
  SecretStore* secrets = nullptr;
  const NextMasterKey* next_key = nullptr;
  AuditLog* audit = nullptr;
  CallGate* gate = nullptr;
  Redactor* redactor = nullptr;
  Log* log = nullptr;
  Clock* clock = nullptr;
  PluginSearch search;
  // Of the scheduler; may be empty.
  std::function<ConnectionStanding(absl::string_view connection)> standing;
  std::function<void(absl::string_view connection)> close_breaker;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONTROL_PARTS_H_
