// A connection of a server as it stands.
#ifndef TIDEMARK_SERVICE_CONNECTION_ENTRY_H_
#define TIDEMARK_SERVICE_CONNECTION_ENTRY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "control/schedule.h"

namespace tidemark {

// The numbers are stored.
enum class ConnectionOrigin : int { kFolder = 1, kApi = 2 };

// One connection as it stands. Holds no value of a reference; `yaml` is what was written.
struct ConnectionEntry {
  std::string name;
  ConnectionOrigin origin = ConnectionOrigin::kFolder;
  std::string file;    // how messages call it: the path, or "connection NAME"
  std::string folder;  // where relative paths begin
  // Of `version`; while none was ever valid, the newest text. Never null.
  std::shared_ptr<const std::string> yaml;
  uint64_t version = 0;  // 1, 2, ...: of valid texts; 0: none was valid yet
  int64_t changed_at_us = 0;
  bool paused = false;
  // Whether version `version` can run: Load() gives it. False only together with a problem.
  bool usable = false;
  // What is wrong with the newest text or what it refers to, every line; empty: nothing. An entry
  // with a problem may be usable: its last valid definition goes on.
  std::string problem;
  // The following are of the usable definition, and empty or manual where there is none.
  Schedule schedule;
  std::string connector;
  std::string destination_type;
  std::string destination_path;  // real path: connections of one file share its writer
  uint32_t priority = 0;         // larger first
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONNECTION_ENTRY_H_
