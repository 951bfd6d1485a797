#include "tests/destination/recording_disk.h"

#include <algorithm>

namespace tidemark {
namespace {

constexpr size_t kSector = 512;

using Pending = std::map<std::string, std::vector<const DiskEvent*>>;  // by file

void Apply(const DiskEvent& event, DiskImage* image) {
  if (event.kind == DiskEvent::kDelete) {
    image->erase(event.file);
    return;
  }
  std::string& file = (*image)[event.file];
  const auto at = static_cast<size_t>(event.at);
  if (event.kind == DiskEvent::kTruncate) {
    file.resize(at, '\0');
    return;
  }
  if (file.size() < at + event.bytes.size()) file.resize(at + event.bytes.size(), '\0');
  file.replace(at, event.bytes.size(), event.bytes);
}

// Each sector of the write, or not.
void ApplyTorn(const DiskEvent& event, Dice& dice, DiskImage* image) {
  for (size_t from = 0; from < event.bytes.size(); from += kSector) {
    if (dice.Pick(2) == 0) continue;
    DiskEvent sector = event;
    sector.at += static_cast<int64_t>(from);
    sector.bytes = event.bytes.substr(from, kSector);
    Apply(sector, image);
  }
}

void ApplySome(const std::vector<const DiskEvent*>& events, Unsynced unsynced, Dice& dice,
               DiskImage* image) {
  if (unsynced == Unsynced::kNone) return;
  const size_t prefix = dice.Pick(events.size() + 1);
  for (size_t i = 0; i < events.size(); ++i) {
    if (unsynced == Unsynced::kPrefix && i >= prefix) break;
    const bool some = unsynced == Unsynced::kSubset || unsynced == Unsynced::kTorn;
    if (some && dice.Pick(2) == 0) continue;
    const bool tears = unsynced == Unsynced::kTorn && events[i]->kind == DiskEvent::kWrite;
    if (tears && dice.Pick(3) == 0) {
      ApplyTorn(*events[i], dice, image);
    } else {
      Apply(*events[i], image);
    }
  }
}

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

DiskImage ImageAfter(const std::vector<DiskEvent>& events, size_t end, Unsynced unsynced,
                     Dice& dice) {
  DiskImage image;
  Pending pending;
  for (size_t i = 0; i < end; ++i) {
    const DiskEvent& event = events[i];
    if (event.kind == DiskEvent::kMark) continue;
    if (event.kind != DiskEvent::kSync) {
      pending[event.file].push_back(&event);
      continue;
    }
    for (auto& [file, waiting] : pending) {
      // Deletes of other files, and what came before them, are behind it in the journal.
      auto durable = waiting.end();
      if (file != event.file) {
        const auto last = std::find_if(waiting.rbegin(), waiting.rend(),
                                       [](const auto* e) { return e->kind == DiskEvent::kDelete; });
        durable = last.base();
      }
      std::for_each(waiting.begin(), durable, [&](const auto* e) { Apply(*e, &image); });
      waiting.erase(waiting.begin(), durable);
    }
  }
  for (const auto& [file, waiting] : pending) ApplySome(waiting, unsynced, dice, &image);
  return image;
}

void RecordingDisk::After(const DiskCall& call) {
  const std::string file = NameOf(call.path);
  switch (call.operation) {
    case DiskOperation::kWrite:
      events_.push_back(
          {DiskEvent::kWrite, file, call.offset,
           std::string(static_cast<const char*>(call.bytes), static_cast<size_t>(call.size))});
      break;
    case DiskOperation::kTruncate:
      events_.push_back({DiskEvent::kTruncate, file, call.offset, ""});
      break;
    case DiskOperation::kSync:
      events_.push_back({DiskEvent::kSync, file, 0, ""});
      break;
    case DiskOperation::kDelete:
      events_.push_back({DiskEvent::kDelete, file, 0, ""});
      break;
    default:
      break;
  }
}

std::string RecordingDisk::PragmaValue(const std::string& name, const std::string& value) {
  if (name == "synchronous" && !options_.synchronous.empty()) return options_.synchronous;
  if (name == "wal_autocheckpoint" && !options_.checkpoint_pages.empty()) {
    return options_.checkpoint_pages;
  }
  return value;
}

}  // namespace tidemark
