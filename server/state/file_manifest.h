// One commit of a FileStateStore as text: the grammar stands in file_manifest.cc. Pure functions.
#ifndef TIDEMARK_STATE_FILE_MANIFEST_H_
#define TIDEMARK_STATE_FILE_MANIFEST_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "state/state_store.h"
#include "state/state_version.h"

namespace tidemark {

struct FileManifest {
  struct Entry {
    StateHead head;
    int64_t oldest = 0;  // lowest version that history still holds
  };
  // A version of that number in a commit up to `until` is no part of history.
  struct Aside {
    std::string entry;
    int64_t version = 0;
    int64_t until = 0;
  };

  std::string connection;
  int64_t commit = 0;    // from 1, grows by one with each manifest; 0: what a damaged one has left
  std::string hash;      // raw BLAKE2b-256 of its own bytes; set by ManifestFolder
  std::string previous;  // raw BLAKE2b-256 of the manifest before it; empty: the first
  StateHolder holder;    // who wrote it, under which epoch; `held` and expiry mean nothing here
  std::string engine;
  std::set<int64_t> live;  // every commit whose manifest still counts, this one among them
  std::map<std::string, Entry> entries;  // by name: all of the connection
  std::vector<Aside> asides;             // all of the connection
  std::vector<StateVersion> versions;    // of this commit, in the order of their appends
  std::vector<AuditRecord> audit;        // of this commit
};

std::string FormatManifest(const FileManifest& manifest);

// DATA_LOSS: it is torn (its last line is missing) or damaged. FAILED_PRECONDITION: it is of a
// newer engine. The text completes "FILE: ".
absl::StatusOr<FileManifest> ParseManifest(absl::string_view bytes);

// What can be read of a manifest that may be damaged: its versions prove themselves by their
// hashes. Everything else of it is left empty.
FileManifest SalvageManifest(absl::string_view bytes, absl::string_view connection);

// "00000000000000000042.manifest", and back; nullopt: the name of something else.
std::string ManifestName(int64_t commit);
std::optional<int64_t> ParseManifestName(absl::string_view name);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_FILE_MANIFEST_H_
