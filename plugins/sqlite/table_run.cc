#include "sqlite/table_run.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tidemark::sqlite {

using nlohmann::json;

namespace {

absl::Status InState(absl::StatusCode code, absl::string_view table, absl::string_view why) {
  return absl::Status(code, absl::StrCat("the state of table ", table, " ", why));
}

}  // namespace

absl::StatusOr<json> ReadState(absl::string_view table, absl::string_view body, Method method,
                               Database& database) {
  constexpr auto kDamaged = absl::StatusCode::kDataLoss;
  constexpr auto kOther = absl::StatusCode::kFailedPrecondition;
  if (body.empty()) return json();
  json state = json::parse(body.begin(), body.end(), nullptr, false);
  if (!state.is_object()) return InState(kDamaged, table, "is not a JSON object");
  const auto format = state.find("format");
  if (format == state.end() || !format->is_number_unsigned()) {
    return InState(kDamaged, table, "has no format number");
  }
  if (*format > kStateFormat) {
    return InState(kOther, table,
                   absl::StrCat("has format ", format->get<uint64_t>(), ", this connector knows ",
                                kStateFormat, ": use a newer version of it"));
  }
  const auto of = state.find("method");
  if (of == state.end() || !of->is_string()) return InState(kDamaged, table, "names no method");
  const absl::StatusOr<int64_t> application = database.Number("PRAGMA application_id");
  if (!application.ok()) return application.status();
  if (state.value("application", json()) != *application) {
    return InState(kOther, table,
                   "is of another database (its application_id differs): if this one took its "
                   "place, read the table in full once");
  }
  if (*of == std::string(MethodName(method))) return state;
  if (*of == "full") return json();
  return InState(kOther, table,
                 absl::StrCat("is of method ", of->get<std::string>(), ", the configuration says ",
                              MethodName(method), ": read the table in full once"));
}

std::string TextIn(const json& object, absl::string_view name) {
  const auto found = object.find(std::string(name));
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

absl::Status TableRun::Checkpoint(json body, absl::string_view cursor, absl::Time watermark) {
  body["format"] = kStateFormat;
  body["method"] = std::string(MethodName(method));
  const absl::StatusOr<int64_t> application = database.Number("PRAGMA application_id");
  if (!application.ok()) return application.status();
  body["application"] = *application;
  const std::string text = JsonText(body);
  const NewState entry = {
      .table = table.name, .body = text, .cursor = cursor, .watermark = watermark};
  return sink.CheckpointStates({&entry, 1});
}

absl::Status TableRun::Damaged(absl::string_view why) const {
  return InState(absl::StatusCode::kDataLoss, table.name, why);
}

std::string KeyText(const TableDefinition& table, const std::vector<Value>& row) {
  json key = json::array();
  for (const size_t column : table.key) key.push_back(ToJson(ToCell(row[column])));
  return JsonText(key);
}

}  // namespace tidemark::sqlite
