#include "state/state_diff.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/digest.h"
#include "core/text.h"
#include "core/time_text.h"
#include "nlohmann/json.hpp"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;
using What = StateChange::What;

constexpr size_t kShownBytes = 64;
// Beyond this many compared pairs of lines a changed block is shown whole.
constexpr size_t kComparedLines = 1'000'000;
// Deeper documents are compared as text, so that none can exhaust the stack.
constexpr size_t kDepth = 200;

std::string Dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// "$.a.b", or "$[\"a b\"]" where the name is no plain word.
std::string Member(const std::string& path, const std::string& name) {
  bool plain = !name.empty();
  for (const char c : name) {
    plain = plain && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-');
  }
  if (plain) return absl::StrCat(path, ".", name);
  std::string quoted;
  AppendJsonString(name, &quoted);
  return absl::StrCat(path, "[", quoted, "]");
}

class JsonDiff {
 public:
  explicit JsonDiff(std::vector<StateChange>* changes) : changes_(*changes) {}

  void Compare(const std::string& path, const Json& before, const Json& after) {
    if (before.is_object() && after.is_object()) {
      CompareObjects(path, before, after);
    } else if (before.is_array() && after.is_array()) {
      CompareArrays(path, before, after);
    } else if (before != after) {
      changes_.push_back({What::kChanged, path, Dump(before), Dump(after)});
    }
  }

 private:
  void CompareObjects(const std::string& path, const Json& before, const Json& after) {
    for (const auto& [name, value] : before.items()) {
      const auto other = after.find(name);
      if (other == after.end()) {
        changes_.push_back({What::kRemoved, Member(path, name), Dump(value), ""});
      } else {
        Compare(Member(path, name), value, *other);
      }
    }
    for (const auto& [name, value] : after.items()) {
      if (before.contains(name)) continue;
      changes_.push_back({What::kAdded, Member(path, name), "", Dump(value)});
    }
  }

  // What stands equal at both ends is left out, so that an element put in is one addition.
  void CompareArrays(const std::string& path, const Json& before, const Json& after) {
    const size_t shorter = std::min(before.size(), after.size());
    size_t head = 0;
    while (head < shorter && before[head] == after[head]) ++head;
    size_t tail = 0;
    while (tail < shorter - head &&
           before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
      ++tail;
    }
    const size_t old_end = before.size() - tail;
    const size_t new_end = after.size() - tail;
    size_t i = head;
    for (; i < std::min(old_end, new_end); ++i) {
      Compare(absl::StrCat(path, "[", i, "]"), before[i], after[i]);
    }
    for (size_t j = i; j < old_end; ++j) {
      changes_.push_back({What::kRemoved, absl::StrCat(path, "[", j, "]"), Dump(before[j]), ""});
    }
    for (size_t j = i; j < new_end; ++j) {
      changes_.push_back({What::kAdded, absl::StrCat(path, "[", j, "]"), "", Dump(after[j])});
    }
  }

  std::vector<StateChange>& changes_;
};

using Lines = std::vector<absl::string_view>;

// A block of lines in the middle of both texts that has nothing in common.
void AddBlock(const Lines& before, size_t from, size_t to, const Lines& after, size_t new_from,
              size_t new_to, std::vector<StateChange>* changes) {
  const auto place = [](size_t line) { return absl::StrCat("line ", line + 1); };
  while (from < to && new_from < new_to) {
    changes->push_back(
        {What::kChanged, place(from), std::string(before[from]), std::string(after[new_from])});
    ++from;
    ++new_from;
  }
  for (; from < to; ++from) {
    changes->push_back({What::kRemoved, place(from), std::string(before[from]), ""});
  }
  for (; new_from < new_to; ++new_from) {
    changes->push_back({What::kAdded, place(new_from), "", std::string(after[new_from])});
  }
}

// Longest common subsequence of the lines between what is equal at both ends.
void DiffText(absl::string_view old_text, absl::string_view new_text,
              std::vector<StateChange>* changes) {
  const Lines before = absl::StrSplit(old_text, '\n');
  const Lines after = absl::StrSplit(new_text, '\n');
  size_t head = 0;
  while (head < before.size() && head < after.size() && before[head] == after[head]) ++head;
  size_t old_end = before.size();
  size_t new_end = after.size();
  while (old_end > head && new_end > head && before[old_end - 1] == after[new_end - 1]) {
    --old_end;
    --new_end;
  }
  const size_t rows = old_end - head;
  const size_t columns = new_end - head;
  if (rows > 0 && columns > kComparedLines / rows) {
    AddBlock(before, head, old_end, after, head, new_end, changes);
    return;
  }
  // common[i][j]: length of the longest common subsequence behind line i and line j.
  std::vector<std::vector<uint32_t>> common(rows + 1, std::vector<uint32_t>(columns + 1, 0));
  for (size_t i = rows; i-- > 0;) {
    for (size_t j = columns; j-- > 0;) {
      common[i][j] = before[head + i] == after[head + j]
                         ? common[i + 1][j + 1] + 1
                         : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  size_t i = 0, j = 0, block_i = 0, block_j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && before[head + i] == after[head + j]) {
      AddBlock(before, head + block_i, head + i, after, head + block_j, head + j, changes);
      block_i = ++i;
      block_j = ++j;
    } else if (j == columns || (i < rows && common[i + 1][j] >= common[i][j + 1])) {
      ++i;
    } else {
      ++j;
    }
  }
  AddBlock(before, head + block_i, head + i, after, head + block_j, head + j, changes);
}

std::string HexShown(absl::string_view bytes) {
  if (bytes.empty()) return "";
  if (bytes.size() <= kShownBytes) return absl::StrCat("0x", Hex(bytes));
  return absl::StrCat("0x", Hex(bytes.substr(0, kShownBytes)), "... (", bytes.size(), " bytes)");
}

void DiffBytes(absl::string_view before, absl::string_view after,
               std::vector<StateChange>* changes) {
  const size_t shorter = std::min(before.size(), after.size());
  size_t head = 0;
  while (head < shorter && before[head] == after[head]) ++head;
  size_t tail = 0;
  while (tail < shorter - head &&
         before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
    ++tail;
  }
  const absl::string_view was = before.substr(head, before.size() - tail - head);
  const absl::string_view is = after.substr(head, after.size() - tail - head);
  const size_t longest = std::max(was.size(), is.size());
  if (longest == 0) return;
  const What what = was.empty() ? What::kAdded : is.empty() ? What::kRemoved : What::kChanged;
  changes->push_back(
      {what, absl::StrCat("bytes ", head, "..", head + longest - 1), HexShown(was), HexShown(is)});
}

bool IsDeep(absl::string_view text) {
  size_t depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted) {
      if (text[i] == '\\') {
        ++i;
      } else {
        quoted = text[i] != '"';
      }
      continue;
    }
    quoted = text[i] == '"';
    if (text[i] == '{' || text[i] == '[') ++depth;
    if ((text[i] == '}' || text[i] == ']') && depth > 0) --depth;
    if (depth > kDepth) return true;
  }
  return false;
}

Json Parsed(absl::string_view body, absl::string_view other) {
  if (IsDeep(body) || IsDeep(other)) return Json(Json::value_t::discarded);
  Json json = Json::parse(body.begin(), body.end(), nullptr, false);
  if (!body.empty()) return json;
  const Json beside = Json::parse(other.begin(), other.end(), nullptr, false);
  return beside.is_object() ? Json::object() : json;
}

std::string TimeOf(int64_t us) { return us == kNoTime ? "" : FormatUtcMicros(us); }

void AddField(const char* name, const std::string& before, const std::string& after,
              std::vector<StateChange>* changes) {
  if (before == after) return;
  const What what = before.empty() ? What::kAdded : after.empty() ? What::kRemoved : What::kChanged;
  changes->push_back({what, name, before, after});
}

}  // namespace

absl::string_view ChangeName(StateChange::What what) {
  switch (what) {
    case What::kAdded:
      return "added";
    case What::kRemoved:
      return "removed";
    case What::kChanged:
      break;
  }
  return "changed";
}

std::vector<StateChange> DiffBodies(absl::string_view before, absl::string_view after) {
  std::vector<StateChange> changes;
  if (before == after) return changes;
  const Json old_json = Parsed(before, after);
  const Json new_json = Parsed(after, before);
  if (old_json.is_structured() && new_json.is_structured()) {
    JsonDiff(&changes).Compare("$", old_json, new_json);
    if (!changes.empty()) return changes;
  }
  if (IsUtf8(before) && IsUtf8(after)) {
    DiffText(before, after, &changes);
  } else {
    DiffBytes(before, after, &changes);
  }
  return changes;
}

std::vector<StateChange> DiffVersions(const StateVersion& before, const StateVersion& after) {
  std::vector<StateChange> changes;
  AddField("cursor", before.cursor, after.cursor, &changes);
  AddField("format", absl::StrCat(before.format), absl::StrCat(after.format), &changes);
  AddField("watermark", TimeOf(before.watermark_us), TimeOf(after.watermark_us), &changes);
  for (StateChange& change : DiffBodies(before.body, after.body)) {
    changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace tidemark
