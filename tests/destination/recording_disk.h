// Notes what a database's files are told, and makes of it what a disk would hold after the power
// went (reliability_cdc.md A.7). Confined to one thread.
#ifndef TIDEMARK_TESTS_DESTINATION_RECORDING_DISK_H_
#define TIDEMARK_TESTS_DESTINATION_RECORDING_DISK_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/destination/shim_vfs.h"
#include "tests/simulation/dice.h"

namespace tidemark {

struct DiskEvent {
  enum Kind { kWrite, kTruncate, kSync, kDelete, kMark };
  Kind kind;
  std::string file;   // without its folder
  int64_t at = 0;     // offset, new size, or the mark
  std::string bytes;  // of a write
};

// What of the writes that no sync covers reached the disk.
enum class Unsynced { kNone, kPrefix, kSubset, kTorn, kAll };

using DiskImage = std::map<std::string, std::string>;  // bytes by file name

// The files after a loss of power behind event `end`. A sync makes everything before it durable
// that was written to its file. A file that was deleted may stand there again until the next sync
// of any file: file systems with a journal keep that order. kTorn keeps some of the sectors of 512
// bytes of a write.
DiskImage ImageAfter(const std::vector<DiskEvent>& events, size_t end, Unsynced unsynced,
                     Dice& dice);

// The recorder. While it lives, every database that is opened goes through it.
class RecordingDisk final : private DiskWatcher {
 public:
  struct Options {
    // Instead of the engine's; empty: as it says. What a weaker setting would lose shows that the
    // suite can see it.
    std::string synchronous;
    std::string checkpoint_pages;
  };
  explicit RecordingDisk(Options options) : options_(std::move(options)), shim_(*this) {}

  // Something that everybody was told at this moment.
  void Mark(int64_t value) { events_.push_back({DiskEvent::kMark, "", value, ""}); }
  const std::vector<DiskEvent>& events() const { return events_; }

 private:
  int Before(const DiskCall&) override { return SQLITE_OK; }
  void After(const DiskCall& call) override;
  std::string PragmaValue(const std::string& name, const std::string& value) override;

  const Options options_;
  std::vector<DiskEvent> events_;
  const ShimVfs shim_;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_DESTINATION_RECORDING_DISK_H_
