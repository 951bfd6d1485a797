#include "control/stored_images.h"

#include <utility>

namespace tidemark {

absl::StatusOr<std::unique_ptr<StoredImages>> StoredImages::Open(
    const TargetTable* stored, const SourceRows& source, const ConversionOptions& conversion,
    OpenRows open) {
  std::unique_ptr<StoredImages> images(new StoredImages(source, conversion));
  if (stored == nullptr) return images;
  images->stored_ = *stored;
  std::vector<size_t> key;
  for (const size_t column : source.key()) {
    const std::string& name = source.target().target().columns[column].name;
    for (size_t i = 0; i < stored->columns.size(); ++i) {
      if (stored->columns[i].name == name) key.push_back(i);
    }
  }
  if (key.size() != source.key().size()) {
    return absl::FailedPreconditionError(
        "the table stands at the destination without the columns of its key; sync it again first");
  }
  absl::StatusOr<std::unique_ptr<StoredRows>> rows = open(*stored, key);
  if (!rows.ok()) return rows.status();
  images->rows_ = *std::move(rows);
  return images;
}

absl::Status StoredImages::ReadRange(absl::string_view lower, absl::string_view upper,
                                     Image image) {
  if (rows_ == nullptr) return absl::OkStatus();
  std::deque<std::string> lower_texts;
  std::deque<std::string> upper_texts;
  absl::StatusOr<std::vector<Value>> from = DecodeKey(lower, &lower_texts);
  if (!from.ok()) return from.status();
  absl::StatusOr<std::vector<Value>> to = DecodeKey(upper, &upper_texts);
  if (!to.ok()) return to.status();
  return rows_->ReadRange(*from, *to, [&](absl::Span<const Value> row) {
    const absl::Span<const Value> converted = Convert(row);
    return image(ImageOf(converted), converted);
  });
}

absl::Status StoredImages::ReadKey(absl::string_view key, Image image) {
  if (rows_ == nullptr) return absl::OkStatus();
  std::deque<std::string> texts;
  absl::StatusOr<std::vector<Value>> values = DecodeKey(key, &texts);
  if (!values.ok()) return values.status();
  return rows_->ReadKey(*values, [&](absl::Span<const Value> row) {
    const absl::Span<const Value> converted = Convert(row);
    return image(ImageOf(converted), converted);
  });
}

absl::Status StoredImages::ReadNewest(
    int64_t count, absl::FunctionRef<absl::Status(RowImage image, bool deleted)> image) {
  if (rows_ == nullptr) return absl::OkStatus();
  return rows_->ReadNewest(count, [&](absl::Span<const Value> row, bool deleted) {
    return image(ImageOf(Convert(row)), deleted);
  });
}

absl::Span<const Value> StoredImages::Convert(absl::Span<const Value> stored) {
  const std::vector<TargetColumn>& columns = source_.target().target().columns;
  arena_ = nullptr;
  row_.assign(columns.size(), Value::Null());
  for (size_t i = 0; i < columns.size(); ++i) {
    // The target was made from the stored table: its columns come first there, but for those that
    // the connection leaves out now.
    for (size_t s = i < stored_.columns.size() && stored_.columns[i].name == columns[i].name ? i
                                                                                             : 0;
         s < stored_.columns.size(); ++s) {
      if (stored_.columns[s].name != columns[i].name) continue;
      Value value = stored[s];
      if (!value.is_null() && stored_.columns[s].type.type != columns[i].type.type &&
          value.kind == StoredKind(stored_.columns[s].type.type)) {
        if (arena_ == nullptr) arena_ = std::make_unique<TextArena>();
        ConversionNotes notes;
        const absl::StatusOr<Value> wider =
            converter_.Convert(value, columns[i].type, arena_.get(), &notes);
        if (wider.ok()) value = *wider;
      }
      row_[i] = value;
      break;
    }
  }
  return row_;
}

RowImage StoredImages::ImageOf(absl::Span<const Value> row) {
  std::vector<Value> key;
  key.reserve(source_.key().size());
  for (const size_t column : source_.key()) key.push_back(row[column]);
  return {EncodeKey(key), digest_.Of(row, source_.compared())};
}

}  // namespace tidemark
