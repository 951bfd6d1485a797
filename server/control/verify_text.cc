// What `tidemark verify` prints.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/verify.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

void AppendKeys(absl::string_view what, uint64_t count, const std::vector<std::string>& keys,
                std::string* text) {
  if (count == 0) return;
  absl::StrAppend(text, "  ", what, ": ", count);
  if (!keys.empty()) {
    absl::StrAppend(text, " (", absl::StrJoin(keys, ", "), keys.size() < count ? ", ..." : "", ")");
  }
  absl::StrAppend(text, "\n");
}

}  // namespace

nlohmann::ordered_json VerifyJson(const Verifier& verifier) {
  Json json = {{"equal", verifier.equal()}, {"tables", Json::array()}};
  for (const TableVerdict& verdict : verifier.tables()) {
    const TableDifferences& found = verdict.differences;
    Json table = {{"table", verdict.table}, {"destination_table", verdict.destination_table}};
    if (!verdict.status.ok()) {
      table["error"] = {{"code", absl::StatusCodeToString(verdict.status.code())},
                        {"message", std::string(verdict.status.message())}};
      json["tables"].push_back(std::move(table));
      continue;
    }
    table["equal"] = verdict.equal();
    table["compared_by"] = verdict.by_ranges ? "ranges" : "whole";
    table["source_rows"] = found.source_rows;
    table["destination_rows"] = found.stored_rows;
    table["ranges"] = found.ranges;
    table["unequal_ranges"] = found.unequal_ranges;
    table["missing"] = found.missing;
    table["extra"] = found.extra;
    table["different"] = found.different;
    table["unreadable"] = found.unreadable.count;
    table["missing_keys"] = verdict.missing;
    table["extra_keys"] = verdict.extra;
    table["different_keys"] = verdict.different;
    table["warnings"] = found.warnings;
    json["tables"].push_back(std::move(table));
  }
  json["only_at_destination"] = verifier.only_stored();
  return json;
}

std::string VerifyText(const Verifier& verifier) {
  std::string text;
  for (const TableVerdict& verdict : verifier.tables()) {
    const TableDifferences& found = verdict.differences;
    absl::StrAppend(&text, verdict.table);
    if (!verdict.status.ok()) {
      absl::StrAppend(&text, ": not verified: ", verdict.status.message(), "\n");
      continue;
    }
    if (verdict.destination_table != verdict.table) {
      absl::StrAppend(&text, " -> ", verdict.destination_table);
    }
    absl::StrAppend(&text, ": ", verdict.equal() ? "equal" : "different", ", ", found.source_rows,
                    " rows at the source, ", found.stored_rows, " at the destination, compared ");
    if (verdict.by_ranges) {
      absl::StrAppend(&text, "in ", found.ranges, " ranges of keys\n");
    } else {
      absl::StrAppend(&text, "as a whole\n");
    }
    AppendKeys("missing at the destination", found.missing, verdict.missing, &text);
    AppendKeys("extra at the destination", found.extra, verdict.extra, &text);
    AppendKeys("different", found.different, verdict.different, &text);
    if (found.unreadable.count > 0) {
      absl::StrAppend(&text, "  records of the source that no row can be made of: ",
                      found.unreadable.count, "\n");
    }
    for (const std::string& warning : found.warnings) {
      absl::StrAppend(&text, "  warning: ", warning, "\n");
    }
  }
  for (const std::string& name : verifier.only_stored()) {
    absl::StrAppend(&text, name, ": not compared, the source does not have it any more\n");
  }
  return text;
}

}  // namespace tidemark
