#include "control/table_comparison.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

constexpr int kPasses = 6;  // types widen at most a few times

size_t PartOf(absl::string_view key) {
  return absl::Hash<absl::string_view>{}(key) % TableComparison::kPartitions;
}

// The order of both sides is that of the bytes of EncodeKey.
bool OrdersAgree(DataType type) {
  switch (type) {
    case DataType::kBoolean:
    case DataType::kShort:
    case DataType::kInt:
    case DataType::kLong:
    case DataType::kFloat:
    case DataType::kDouble:
    case DataType::kNaiveDate:
    case DataType::kNaiveTime:
    case DataType::kNaiveDatetime:
    case DataType::kUtcDatetime:
    case DataType::kBinary:
    case DataType::kString:
    case DataType::kXml:
      return true;
    case DataType::kUndeclared:
    case DataType::kDecimal:  // stored as text: '10' sorts before '9'
    case DataType::kJson:
      return false;
  }
  return false;
}

// Count and hash of rows in their order.
class RangeHash {
 public:
  RangeHash() : digest_(kDigestBytes) {}
  void Add(const RowImage& row) {
    digest_.Add(row.key);
    digest_.Add(row.digest);
    ++count_;
  }
  uint64_t count() const { return count_; }
  std::string Finish() { return digest_.Finish(); }

 private:
  Digest digest_;
  uint64_t count_ = 0;
};

std::string PackImage(const RowImage& image) {
  return absl::StrCat(std::string(1, static_cast<char>(image.digest.size())), image.digest,
                      image.key);
}
RowImage UnpackImage(absl::string_view record) {
  const auto size = static_cast<size_t>(static_cast<unsigned char>(record.front()));
  return {std::string(record.substr(1 + size)), std::string(record.substr(1, size))};
}

// All images of a part by key; of several with one key the last.
absl::StatusOr<std::vector<RowImage>> LoadPart(RecordSpool* spool) {
  std::vector<RowImage> images;
  images.reserve(spool->count());
  if (absl::Status status = spool->Rewind(); !status.ok()) return status;
  std::string record;
  while (true) {
    const absl::StatusOr<bool> more = spool->Next(&record);
    if (!more.ok()) return more.status();
    if (!*more) break;
    images.push_back(UnpackImage(record));
  }
  std::stable_sort(images.begin(), images.end(),
                   [](const RowImage& a, const RowImage& b) { return a.key < b.key; });
  size_t kept = 0;
  for (size_t i = 0; i < images.size(); ++i) {
    if (i + 1 < images.size() && images[i].key == images[i + 1].key) continue;
    if (kept != i) images[kept] = std::move(images[i]);
    ++kept;
  }
  images.resize(kept);
  return images;
}

}  // namespace

Difference DifferenceOf(absl::string_view record) {
  return static_cast<Difference>(record.front());
}
absl::string_view KeyOf(absl::string_view record) { return record.substr(1); }

ComparisonWays WaysToCompare(const TableSchema& table, const SourceRows& source) {
  ComparisonWays ways;
  if ((table.reads & kReadRanges) != 0) {
    ways.whole = kReadRanges;
  } else if ((table.reads & kReadWhole) != 0) {
    ways.whole = kReadWhole;
  }
  const TableTarget& target = source.target();
  if (target.keyless()) return ways;
  bool same_key = true;
  bool same_order = true;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const Column& column = table.columns[i];
    if (column.key != target.source().columns[i].key) return ways;  // the connection's own key
    if (!column.key) continue;
    const DataType type = target.target().columns[target.places()[i]].type.type;
    // What the source calls it cannot be told from what is stored, where the type was changed.
    same_key = same_key && (column.type.type == DataType::kUndeclared || column.type.type == type);
    same_order = same_order && column.type.type == type && OrdersAgree(type);
  }
  ways.keys = same_key && (table.reads & kReadKeys) != 0;
  ways.ranges = same_order && (table.reads & kReadRanges) != 0;
  return ways;
}

absl::StatusOr<TableDifferences> TableComparison::Run() {
  absl::StatusOr<TableDifferences> first = Pass();
  if (!first.ok() || first->total() == 0) return first;
  TableDifferences found;
  found.source_rows = first->source_rows;
  found.stored_rows = first->stored_rows;
  found.ranges = first->ranges;
  found.unequal_ranges = first->unequal_ranges;
  found.unreadable = first->unreadable;
  found.warnings = first->warnings;
  absl::Status checked =
      ways_.keys ? RecheckByKeys(&*first, &found) : RecheckByPass(&*first, &found);
  if (!checked.ok()) return checked;
  return found;
}

absl::StatusOr<TableDifferences> TableComparison::Pass() {
  for (int pass = 0; pass < kPasses; ++pass) {
    TableDifferences found;
    out_of_order_ = false;
    source_.TakeTargetChanged();
    source_.TakeUnreadable();
    absl::Status status = ways_.ranges ? PassByRanges(&found) : PassByParts(&found);
    found.unreadable = source_.TakeUnreadable();
    if (out_of_order_) {
      ways_.ranges = false;
      continue;
    }
    if (!status.ok()) return status;
    if (source_.TakeTargetChanged()) continue;
    found.warnings = source_.warnings();
    return found;
  }
  return absl::AbortedError("the types of the table change faster than it can be read");
}

absl::Status TableComparison::OutOfOrder(absl::string_view side) {
  out_of_order_ = true;
  return absl::AbortedError(absl::StrCat("the keys of the ", side, " are not in order"));
}

absl::Status TableComparison::Note(Difference difference, absl::string_view key,
                                   TableDifferences* found) {
  switch (difference) {
    case Difference::kMissing:
      ++found->missing;
      break;
    case Difference::kExtra:
      ++found->extra;
      break;
    case Difference::kDifferent:
      ++found->different;
      break;
  }
  return found->keys.Append(absl::StrCat(std::string(1, static_cast<char>(difference)), key));
}

absl::Status TableComparison::NotePair(const RowImage* source, const RowImage* stored,
                                       TableDifferences* found) {
  if (stored == nullptr) {
    // A row that the destination could not store is not missing there.
    if (source == nullptr || source->digest.empty()) return absl::OkStatus();
    return Note(Difference::kMissing, source->key, found);
  }
  if (source == nullptr) return Note(Difference::kExtra, stored->key, found);
  if (SameContent(*source, *stored)) return absl::OkStatus();
  return Note(Difference::kDifferent, source->key, found);
}

absl::Status TableComparison::PassByRanges(TableDifferences* found) {
  range_.clear();
  range_lower_.clear();
  ReadStart start;
  start.mode = kReadRanges;
  absl::Status read =
      source_.Read(start, [&](RowImage row) { return OnSourceRow(std::move(row), found); });
  if (!read.ok()) return read;
  return CompareRange(range_, range_lower_, "", found);
}

absl::Status TableComparison::OnSourceRow(RowImage row, TableDifferences* found) {
  if (!range_.empty() && row.key <= range_.back().key) return OutOfOrder("source");
  ++found->source_rows;
  if (range_.size() == kRangeRows) {
    absl::Status compared = CompareRange(range_, range_lower_, row.key, found);
    if (!compared.ok()) return compared;
    range_lower_ = row.key;
    range_.clear();
  }
  range_.push_back(std::move(row));
  return absl::OkStatus();
}

absl::Status TableComparison::CompareRange(Images rows, absl::string_view lower,
                                           absl::string_view upper, TableDifferences* found) {
  RangeHash source;
  for (const RowImage& row : rows) source.Add(row);
  RangeHash stored;
  absl::Status read =
      stored_.ReadRange(lower, upper, [&](const RowImage& row, absl::Span<const Value>) {
        stored.Add(row);
        return absl::OkStatus();
      });
  if (!read.ok()) return read;
  ++found->ranges;
  if (source.count() == stored.count() && source.Finish() == stored.Finish()) {
    found->stored_rows += stored.count();
    return absl::OkStatus();
  }
  ++found->unequal_ranges;
  // Not split any further: a hash of a part costs the reading of its rows, as comparing them does.
  return CompareRows(rows, lower, upper, found);
}

absl::Status TableComparison::CompareRows(Images rows, absl::string_view lower,
                                          absl::string_view upper, TableDifferences* found) {
  size_t next = 0;
  std::string last;
  absl::Status read =
      stored_.ReadRange(lower, upper, [&](const RowImage& stored, absl::Span<const Value>) {
        if (!last.empty() && stored.key <= last) return OutOfOrder("destination");
        last = stored.key;
        ++found->stored_rows;
        for (; next < rows.size() && rows[next].key < stored.key; ++next) {
          if (absl::Status s = NotePair(&rows[next], nullptr, found); !s.ok()) return s;
        }
        const bool pair = next < rows.size() && rows[next].key == stored.key;
        absl::Status noted = NotePair(pair ? &rows[next] : nullptr, &stored, found);
        if (pair) ++next;
        return noted;
      });
  if (!read.ok()) return read;
  for (; next < rows.size(); ++next) {
    if (absl::Status s = NotePair(&rows[next], nullptr, found); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status TableComparison::PassByParts(TableDifferences* found) {
  constexpr size_t kPartMemory = size_t{64} * 1024;
  std::vector<RecordSpool> source;
  std::vector<RecordSpool> stored;
  for (size_t i = 0; i < kPartitions; ++i) {
    source.emplace_back(kPartMemory);
    stored.emplace_back(kPartMemory);
  }
  ReadStart start;
  start.mode = ways_.whole.value_or(kReadWhole);
  absl::Status read = source_.Read(
      start, [&](const RowImage& row) { return source[PartOf(row.key)].Append(PackImage(row)); });
  if (!read.ok()) return read;
  read = stored_.ReadRange("", "", [&](const RowImage& row, absl::Span<const Value>) {
    return stored[PartOf(row.key)].Append(PackImage(row));
  });
  if (!read.ok()) return read;
  for (size_t i = 0; i < kPartitions; ++i) {
    absl::Status compared = ComparePart(&source[i], &stored[i], found);
    if (!compared.ok()) return compared;
  }
  return absl::OkStatus();
}

absl::Status TableComparison::ComparePart(RecordSpool* source, RecordSpool* stored,
                                          TableDifferences* found) {
  absl::StatusOr<std::vector<RowImage>> left = LoadPart(source);
  if (!left.ok()) return left.status();
  absl::StatusOr<std::vector<RowImage>> right = LoadPart(stored);
  if (!right.ok()) return right.status();
  found->source_rows += left->size();
  found->stored_rows += right->size();
  size_t a = 0;
  size_t b = 0;
  while (a < left->size() || b < right->size()) {
    const bool take_left =
        b == right->size() || (a < left->size() && (*left)[a].key <= (*right)[b].key);
    const bool take_right =
        a == left->size() || (b < right->size() && (*right)[b].key <= (*left)[a].key);
    absl::Status noted =
        NotePair(take_left ? &(*left)[a] : nullptr, take_right ? &(*right)[b] : nullptr, found);
    if (!noted.ok()) return noted;
    if (take_left) ++a;
    if (take_right) ++b;
  }
  return absl::OkStatus();
}

absl::Status TableComparison::RecheckByKeys(TableDifferences* first, TableDifferences* found) {
  if (absl::Status status = first->keys.Rewind(); !status.ok()) return status;
  std::vector<std::string> keys;
  std::string record;
  while (true) {
    const absl::StatusOr<bool> more = first->keys.Next(&record);
    if (!more.ok()) return more.status();
    if (*more) keys.emplace_back(KeyOf(record));
    if (keys.size() < kKeysAtOnce && *more) continue;
    if (!keys.empty()) {
      if (absl::Status status = RecheckKeys(keys, found); !status.ok()) return status;
    }
    if (!*more) return absl::OkStatus();
    keys.clear();
  }
}

absl::Status TableComparison::RecheckKeys(const std::vector<std::string>& keys,
                                          TableDifferences* found) {
  ReadStart start;
  start.mode = kReadKeys;
  start.key_count = static_cast<uint32_t>(keys.size());
  std::deque<std::deque<std::string>> texts;
  for (const std::string& key : keys) {
    absl::StatusOr<std::vector<Value>> values = DecodeKey(key, &texts.emplace_back());
    if (!values.ok()) return values.status();
    start.keys.insert(start.keys.end(), values->begin(), values->end());
  }
  std::map<std::string, RowImage> at_source;
  for (int pass = 0; pass < kPasses; ++pass) {
    at_source.clear();
    source_.TakeTargetChanged();
    absl::Status read = source_.Read(start, [&](RowImage row) {
      std::string key = row.key;
      at_source.insert_or_assign(std::move(key), std::move(row));
      return absl::OkStatus();
    });
    if (!read.ok()) return read;
    if (!source_.TakeTargetChanged()) break;
  }
  for (const std::string& key : keys) {
    std::optional<RowImage> stored;
    absl::Status read = stored_.ReadKey(key, [&](RowImage row, absl::Span<const Value>) {
      stored = std::move(row);
      return absl::OkStatus();
    });
    if (!read.ok()) return read;
    const auto source = at_source.find(key);
    absl::Status noted = NotePair(source == at_source.end() ? nullptr : &source->second,
                                  stored.has_value() ? &*stored : nullptr, found);
    if (!noted.ok()) return noted;
  }
  return absl::OkStatus();
}

// Single rows cannot be asked for: what differs twice counts.
absl::Status TableComparison::RecheckByPass(TableDifferences* first, TableDifferences* found) {
  const bool by_ranges = ways_.ranges;
  absl::StatusOr<TableDifferences> second = Pass();
  if (!second.ok()) return second.status();
  if (ways_.ranges != by_ranges) {
    return absl::AbortedError("the order of the keys has changed while the table was read");
  }
  if (absl::Status status = first->keys.Rewind(); !status.ok()) return status;
  if (absl::Status status = second->keys.Rewind(); !status.ok()) return status;
  const bool by_parts = !ways_.ranges;
  const auto before = [by_parts](absl::string_view a, absl::string_view b) {
    if (by_parts && PartOf(a) != PartOf(b)) return PartOf(a) < PartOf(b);
    return a < b;
  };
  std::string left;
  std::string right;
  absl::StatusOr<bool> more_left = first->keys.Next(&left);
  absl::StatusOr<bool> more_right = second->keys.Next(&right);
  while (true) {
    if (!more_left.ok()) return more_left.status();
    if (!more_right.ok()) return more_right.status();
    if (!*more_left || !*more_right) return absl::OkStatus();
    if (before(KeyOf(left), KeyOf(right))) {
      more_left = first->keys.Next(&left);
    } else if (before(KeyOf(right), KeyOf(left))) {
      more_right = second->keys.Next(&right);
    } else {
      absl::Status noted = Note(DifferenceOf(right), KeyOf(right), found);
      if (!noted.ok()) return noted;
      more_left = first->keys.Next(&left);
      more_right = second->keys.Next(&right);
    }
  }
}

}  // namespace tidemark
