// State in plain files: a chain of manifests, one new file per commit (the format stands as grammar
// in file_manifest.cc).
#ifndef TIDEMARK_STATE_FILE_STATE_STORE_H_
#define TIDEMARK_STATE_FILE_STATE_STORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/clock.h"
#include "core/file_system.h"
#include "state/state_store.h"

namespace tidemark {

struct FileStateStoreOptions {
  FileSystem* files = nullptr;  // borrowed, outlives the store; null: FileSystem::Real()
  Clock* clock = nullptr;       // borrowed, outlives the store; null: Clock::Real()
  std::string engine;           // "tidemark 0.1.0", for messages about formats
  bool create = false;          // Acquire makes the folder where it is missing
  bool read_only = false;       // for looking only; Acquire fails
};

// `folder` may hold several connections, each in a folder of its own below it. Touches nothing yet:
// what is missing, damaged or of a newer engine is the error of the first call that needs it
// (NOT_FOUND, DATA_LOSS, FAILED_PRECONDITION).
absl::StatusOr<std::unique_ptr<StateStore>> OpenFileStateStore(
    const std::string& folder, const std::string& connection, const FileStateStoreOptions& options);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_FILE_STATE_STORE_H_
