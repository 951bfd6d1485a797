#include "sqlite/seen_rows.h"

#include <cstdint>

#include "sqlite/cell.h"

namespace tidemark::sqlite {

using nlohmann::json;

std::string DigestOf(const std::vector<Value>& row) {
  RowDigest digest;
  for (const Value& value : row) digest.Add(value);
  return digest.Finish();
}

json ToJson(const cursors::BoundaryRows& rows) {
  json list = json::array();
  for (const auto& [time, digest] : rows.rows()) {
    json place = nullptr;
    if (time != absl::InfiniteFuture()) place = absl::ToUnixMicros(time);
    list.push_back(json::array({digest, std::move(place)}));
  }
  return list;
}

std::optional<cursors::BoundaryRows> SeenFromJson(const json& list) {
  if (!list.is_array()) return std::nullopt;
  cursors::BoundaryRows rows;
  for (const json& item : list) {
    if (!item.is_array() || item.size() != 2 || !item[0].is_string() ||
        !(item[1].is_null() || item[1].is_number_integer())) {
      return std::nullopt;
    }
    const absl::Time time =
        item[1].is_null() ? absl::InfiniteFuture() : absl::FromUnixMicros(item[1].get<int64_t>());
    rows.Add(time, item[0].get_ref<const std::string&>());
  }
  return rows;
}

}  // namespace tidemark::sqlite
