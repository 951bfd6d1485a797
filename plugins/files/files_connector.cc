#include "files/files_connector.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "files/file_reader.h"
#include "nlohmann/json.hpp"

namespace tidemark::files {
namespace {

using nlohmann::json;

absl::Status About(const FoundFile& file, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("file ", file.name, ": ", status.message()));
}

// Adds a column once; a key column stays one.
void AddColumn(const FileOptions& options, const CsvColumn& column, Table* table) {
  const auto& known = table->columns();
  if (std::any_of(known.begin(), known.end(),
                  [&](const Table::ColumnSpec& c) { return c.name == column.name; })) {
    return;
  }
  const ColumnOptions about = {.precision = column.precision, .scale = column.scale};
  const auto& key = options.primary_key;
  if (std::count(key.begin(), key.end(), column.name) > 0) {
    table->Key(column.name, column.type, about);
  } else {
    table->Column(column.name, column.type, about);
  }
}

std::string Body(const FilePlaces& places) {
  json files = json::object();
  for (const auto& [name, place] : places) files[name] = place.ToJson();
  return json({{"format", kStateFormat}, {"files", std::move(files)}})
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

absl::StatusOr<FilePlaces> ReadPlaces(absl::string_view table, absl::string_view body) {
  FilePlaces places;
  if (body.empty()) return places;
  const auto damaged = [table](absl::string_view why) {
    return absl::DataLossError(absl::StrCat("the state of table ", table, " ", why));
  };
  const json state = json::parse(body.begin(), body.end(), nullptr, false);
  if (!state.is_object()) return damaged("is not a JSON object");
  const auto format = state.find("format");
  if (format == state.end() || !format->is_number_unsigned()) {
    return damaged("has no format number");
  }
  if (*format > kStateFormat) {
    return absl::FailedPreconditionError(
        absl::StrCat("the state of table ", table, " has format ", format->get<uint64_t>(),
                     ", this connector knows ", kStateFormat, ": use a newer version of it"));
  }
  const auto files = state.find("files");
  if (files == state.end() || !files->is_object()) return damaged("has no list of files");
  for (const auto& item : files->items()) {
    std::optional<FilePlace> place = FilePlace::FromJson(item.value());
    if (!place) return damaged(absl::StrCat("has a damaged place in file ", item.key()));
    places[item.key()] = *std::move(place);
  }
  return places;
}

absl::StatusOr<std::unique_ptr<FilesConnector>> FilesConnector::Create(const Config& config) {
  absl::StatusOr<FileOptions> options = FileOptions::Read(config);
  if (!options.ok()) return options.status();
  return absl::WrapUnique(new FilesConnector(*std::move(options)));
}

absl::StatusOr<tidemark::Schema> FilesConnector::Schema() {
  absl::StatusOr<std::vector<FoundFile>> files = FindFiles(options_);
  if (!files.ok()) return files.status();
  tables_.clear();
  std::map<std::string, Table> tables;
  for (FoundFile& file : *files) {
    Table& table = tables.try_emplace(file.table, file.table).first->second;
    if (file.format == Format::kCsv) {
      absl::StatusOr<std::unique_ptr<InputFile>> input = InputFile::Open(file.path);
      if (!input.ok()) return input.status();
      absl::StatusOr<std::vector<CsvColumn>> columns = ReadColumns(**input, options_);
      if (!columns.ok()) return About(file, columns.status());
      for (const CsvColumn& column : *columns) AddColumn(options_, column, &table);
    }
    tables_[file.table].push_back(std::move(file));
  }
  tidemark::Schema schema;
  for (auto& [name, table] : tables) {
    for (const std::string& key : options_.primary_key) {
      const auto declared = options_.columns.find(key);
      const TypeText type = declared == options_.columns.end() ? TypeText() : declared->second;
      AddColumn(options_, {key, type.type, type.precision, type.scale}, &table);
    }
    for (const auto& [column, type] : options_.columns) {
      AddColumn(options_, {column, type.type, type.precision, type.scale}, &table);
    }
    schema.Add(std::move(table));
  }
  return schema;
}

absl::Status FilesConnector::ValidateState(absl::Span<const StateEntry> entries) {
  for (const StateEntry& entry : entries) {
    if (auto places = ReadPlaces(entry.table, entry.body); !places.ok()) return places.status();
  }
  return absl::OkStatus();
}

absl::Status FilesConnector::Update(const UpdateRequest& request, Sink& sink) {
  int64_t selected = 0;
  for (const auto& [table, files] : tables_) selected += request.Selected(table) ? 1 : 0;
  absl::Status transient;
  for (const auto& [table, files] : tables_) {
    if (!request.Selected(table)) continue;
    absl::Status status = UpdateTable(table, files, request, sink);
    if (!sink.status().ok()) return sink.status();
    if (!status.ok() && (selected == 1 || absl::IsDataLoss(status))) return status;
    if (absl::IsAborted(status) || absl::IsUnavailable(status)) {
      transient.Update(status);  // The other tables go on first, then the host tries again.
      continue;
    }
    if (absl::Status s = sink.TableDone(table, status); !s.ok()) return s;
  }
  return transient;
}

absl::Status FilesConnector::UpdateTable(const std::string& table,
                                         const std::vector<FoundFile>& files,
                                         const UpdateRequest& request, Sink& sink) {
  const bool full = request.ModeOf(table) == Mode::kFull;
  absl::StatusOr<FilePlaces> known = ReadPlaces(table, full ? "" : request.State(table));
  if (!known.ok()) return known.status();
  if (full) {
    absl::StatusOr<TableRef> target = sink.Find(table);
    if (!target.ok()) return target.status();
    if (absl::Status s = sink.Truncate(*target); !s.ok()) return s;
  }
  FilePlaces places = *known;
  const auto checkpoint = [&]() {
    const std::string body = Body(places);
    const NewState entry = {.table = table, .body = body};
    return sink.CheckpointStates({&entry, 1});
  };
  for (const FoundFile& file : files) {
    FileReader::Run run = {.found = file,
                           .options = options_,
                           .sink = sink,
                           .now = sink.Now(),
                           .page_rows = request.page_rows(),
                           .checkpoint = [&](const FilePlace& place) {
                             places[file.name] = place;
                             return checkpoint();
                           }};
    FileReader reader(std::move(run));
    const auto place = known->find(file.name);
    absl::StatusOr<FilePlace> end =
        reader.Read(place == known->end() ? std::nullopt : std::optional<FilePlace>(place->second));
    if (!end.ok()) return About(file, end.status());
    places[file.name] = *std::move(end);
  }
  // A file that is gone needs no place; its rows stay.
  for (auto place = places.begin(); place != places.end();) {
    const bool there = std::any_of(files.begin(), files.end(),
                                   [&](const FoundFile& f) { return f.name == place->first; });
    place = there ? std::next(place) : places.erase(place);
  }
  return checkpoint();
}

}  // namespace tidemark::files
