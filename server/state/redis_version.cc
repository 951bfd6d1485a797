// version = chain body_hash number parent epoch kind format prev_chain sync_id group_id counts
//           cursor watermark created_at engine body_bytes
// counts  = 11 fields, in the order of the columns of _tidemark_state_history
// audit   = at action entry holder detail
// Each field is a netstring: its length in decimal digits, ":", its bytes, ",". Numbers are decimal
// digits, hashes are raw bytes. The first two fields are read by the script that appends
// (redis_scripts.cc).
#include "state/redis_version.h"

#include <array>
#include <limits>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

constexpr size_t kCounts = 11;

std::array<uint64_t ChangeCounts::*, kCounts> CountFields() {
  return {&ChangeCounts::inserted,
          &ChangeCounts::updated,
          &ChangeCounts::deleted,
          &ChangeCounts::unchanged,
          &ChangeCounts::superseded,
          &ChangeCounts::missing,
          &ChangeCounts::conflict,
          &ChangeCounts::late_queue,
          &ChangeCounts::dead_letter,
          &ChangeCounts::deleted_by_truncate,
          &ChangeCounts::duplicates_collapsed};
}

class Writer {
 public:
  Writer& Text(absl::string_view field) {
    absl::StrAppend(&out_, field.size(), ":", field, ",");
    return *this;
  }
  template <typename Number>
  Writer& Int(Number number) {
    return Text(absl::StrCat(number));
  }
  std::string Finish() { return std::move(out_); }

 private:
  std::string out_;
};

// Takes fields from the front; remembers the first that is not as it must be.
class Reader {
 public:
  explicit Reader(absl::string_view value) : rest_(value) {}

  std::string Text(const char* name) {
    const std::optional<absl::string_view> field = Next(name);
    return field.has_value() ? std::string(*field) : "";
  }
  template <typename Number>
  Number Int(const char* name) {
    const std::optional<absl::string_view> field = Next(name);
    Number number = 0;
    if (field.has_value() && !absl::SimpleAtoi(*field, &number)) wrong_ = name;
    return number;
  }
  void End() {
    if (wrong_ == nullptr && !rest_.empty()) wrong_ = "end";
  }
  void Wrong(const char* name) {
    if (wrong_ == nullptr) wrong_ = name;
  }
  const char* wrong() const { return wrong_; }

 private:
  std::optional<absl::string_view> Next(const char* name) {
    if (wrong_ != nullptr) return std::nullopt;
    const size_t colon = rest_.find(':');
    size_t size = 0;
    if (colon == absl::string_view::npos || !absl::SimpleAtoi(rest_.substr(0, colon), &size) ||
        size >= rest_.size() - colon - 1 || rest_[colon + 1 + size] != ',') {
      wrong_ = name;
      return std::nullopt;
    }
    const absl::string_view field = rest_.substr(colon + 1, size);
    rest_.remove_prefix(colon + 2 + size);
    return field;
  }

  absl::string_view rest_;
  const char* wrong_ = nullptr;
};

}  // namespace

std::string EncodeRedisVersion(const StateVersion& version) {
  Writer out;
  out.Text(version.chain).Text(version.body_hash).Int(version.version).Int(version.parent);
  out.Int(version.epoch).Text(StateKindName(version.kind)).Int(version.format);
  out.Text(version.prev_chain).Text(version.sync_id).Text(version.group_id);
  for (const auto field : CountFields()) out.Int(version.counts.*field);
  out.Text(version.cursor).Int(version.watermark_us).Int(version.created_at_us);
  out.Text(version.engine).Int(version.body.size());
  return out.Finish();
}

StoredVersion DecodeRedisVersion(absl::string_view value) {
  StoredVersion stored;
  StateVersion& version = stored.version;
  Reader in(value);
  version.chain = in.Text("chain");
  version.body_hash = in.Text("body_hash");
  version.version = in.Int<int64_t>("number");
  version.parent = in.Int<int64_t>("parent");
  version.epoch = in.Int<int64_t>("epoch");
  const std::string kind = in.Text("kind");
  if (const std::optional<StateKind> known = ParseStateKind(kind); known.has_value()) {
    version.kind = *known;
  } else {
    in.Wrong("kind");
  }
  version.format = in.Int<uint32_t>("format");
  version.prev_chain = in.Text("prev_chain");
  version.sync_id = in.Text("sync_id");
  version.group_id = in.Text("group_id");
  for (const auto field : CountFields()) version.counts.*field = in.Int<uint64_t>("counts");
  version.cursor = in.Text("cursor");
  version.watermark_us = in.Int<int64_t>("watermark");
  version.created_at_us = in.Int<int64_t>("created_at");
  version.engine = in.Text("engine");
  const auto bytes = in.Int<int64_t>("body_bytes");
  in.End();
  if (in.wrong() == nullptr) {
    stored.body_bytes = bytes;
  } else {
    stored.readable = absl::DataLossError(
        absl::StrCat("the stored version cannot be understood at its field ", in.wrong()));
  }
  return stored;
}

std::string EncodeRedisAudit(const AuditRecord& record) {
  Writer out;
  out.Int(record.at_us).Text(record.action).Text(record.entry).Text(record.by);
  return out.Text(record.detail).Finish();
}

bool DecodeRedisAudit(absl::string_view value, AuditRecord* record) {
  Reader in(value);
  record->at_us = in.Int<int64_t>("at");
  record->action = in.Text("action");
  record->entry = in.Text("entry");
  record->by = in.Text("holder");
  record->detail = in.Text("detail");
  in.End();
  return in.wrong() == nullptr;
}

}  // namespace tidemark
