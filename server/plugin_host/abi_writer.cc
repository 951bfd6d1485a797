#include "plugin_host/abi_writer.h"

#include <bit>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/value.h"
#include "tidemark/v1/connector.pb.h"
#include "wire/row_codec.h"

namespace tidemark {
namespace {

tidemark_bytes Bytes(const std::string& text) { return {text.data(), text.size()}; }

tidemark_value AbiValue(const Setting& setting) {
  Value value = Value::Int(setting.kind, setting.i64);
  if (value.is_text()) value = Value::Text(setting.kind, setting.text);
  if (setting.kind == ValueKind::kDouble) value = Value::Double(setting.f64);
  return std::bit_cast<tidemark_value>(value);
}

absl::string_view ModeText(uint32_t mode) {
  return mode == TIDEMARK_READ_KEYS     ? "by keys"
         : mode == TIDEMARK_READ_RANGES ? "by ranges of keys"
                                        : "as a whole";
}

// `count` keys of `columns` values each, none of them NULL.
absl::Status DecodeKeys(absl::string_view bytes, uint32_t count, uint32_t columns,
                        std::vector<Value>* keys) {
  if (absl::Status decoded = DecodeRows(bytes, count, columns, keys); !decoded.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("keys to read: ", decoded.message()));
  }
  for (const Value& value : *keys) {
    if (value.is_null() || value.is_unchanged()) {
      return absl::InvalidArgumentError("a key to read has no value");
    }
  }
  return absl::OkStatus();
}

const tidemark_value* Data(const std::vector<Value>& values) {
  static_assert(sizeof(Value) == sizeof(tidemark_value) && std::is_standard_layout_v<Value>);
  return values.empty() ? nullptr : reinterpret_cast<const tidemark_value*>(values.data());
}

}  // namespace

AbiConfig::AbiConfig(absl::Span<const Setting> settings) : config_{} {
  settings_.reserve(settings.size());
  for (const Setting& setting : settings) {
    settings_.push_back({setting.name.c_str(), AbiValue(setting)});
  }
  config_.struct_size = sizeof(config_);
  config_.setting_size = sizeof(tidemark_setting);
  config_.setting_count = static_cast<uint32_t>(settings_.size());
  config_.settings = settings_.data();
}

AbiStates::AbiStates(absl::Span<const StateEntry> entries) {
  states_.reserve(entries.size());
  for (const StateEntry& entry : entries) {
    tidemark_state& state = states_.emplace_back();
    state.schema = Bytes(entry.schema);
    state.table = Bytes(entry.table);
    state.body = Bytes(entry.body);
    state.cursor = Bytes(entry.cursor);
    state.format = entry.format;
    state.kind = entry.kind;
    state.version = entry.version;
    state.committed_at_us = entry.committed_at_us;
    state.watermark_us = entry.watermark_us;
  }
}

AbiRequest::AbiRequest(const v1::Start& start, absl::Span<const StateEntry> states)
    : states_(states), request_{} {
  columns_.reserve(static_cast<size_t>(start.selections_size()));
  for (const v1::Selection& selection : start.selections()) {
    const std::vector<uint8_t>& columns =
        columns_.emplace_back(selection.columns().begin(), selection.columns().end());
    selections_.push_back({static_cast<uint32_t>(selection.mode()),
                           static_cast<uint32_t>(columns.size()),
                           columns.empty() ? nullptr : columns.data()});
  }
  request_.struct_size = sizeof(request_);
  request_.state_size = sizeof(tidemark_state);
  request_.state_count = states_.size();
  request_.states = states_.data();
  request_.selection_size = sizeof(tidemark_selection);
  request_.selection_count = static_cast<uint32_t>(selections_.size());
  request_.selections = selections_.data();
  request_.new_tables = static_cast<uint32_t>(start.new_tables());
  request_.connection = Bytes(start.connection());
  request_.sync_id = Bytes(start.sync_id());
  request_.epoch = start.epoch();
  request_.attempt = start.attempt();
  if (start.dry_run()) request_.flags |= TIDEMARK_REQUEST_DRY_RUN;
  if (start.continuous()) request_.flags |= TIDEMARK_REQUEST_CONTINUOUS;
  request_.page_rows = start.page_rows();
  request_.from_us = start.from_us();
  request_.until_us = start.until_us();
}

absl::Status AbiRead::Fill(const v1::ReadRequest& request, const PluginTables& tables) {
  if (request.table() >= tables.size()) {
    return absl::InvalidArgumentError(absl::StrCat("there is no table number ", request.table()));
  }
  const TableSchema& table = tables.at(request.table());
  const auto mode = static_cast<uint32_t>(request.mode());
  if (mode != TIDEMARK_READ_KEYS && mode != TIDEMARK_READ_RANGES && mode != TIDEMARK_READ_WHOLE) {
    return absl::InvalidArgumentError(absl::StrCat("there is no way to read number ", mode));
  }
  if ((table.reads & mode) == 0) {
    return absl::UnimplementedError(absl::StrCat("this connector cannot read table ",
                                                 QualifiedName(table), " ", ModeText(mode)));
  }
  uint32_t key_columns = 0;
  for (const Column& column : table.columns) key_columns += column.key ? 1 : 0;
  if (absl::Status keys = FillKeys(request, key_columns); !keys.ok()) return keys;
  columns_.assign(request.columns().begin(), request.columns().end());
  request_.struct_size = sizeof(request_);
  request_.table = request.table();
  request_.mode = mode;
  request_.key_columns = key_columns;
  request_.limit = mode == TIDEMARK_READ_RANGES ? request.limit() : 0;
  request_.columns = columns_.empty() ? nullptr : columns_.data();
  request_.column_count = static_cast<uint32_t>(columns_.size());
  return absl::OkStatus();
}

absl::Status AbiRead::FillKeys(const v1::ReadRequest& request, uint32_t key_columns) {
  if (request.mode() == v1::READ_MODE_KEYS) {
    if (request.key_count() == 0 || request.key_count() > TIDEMARK_MAX_READ_KEYS) {
      return absl::InvalidArgumentError(absl::StrCat(request.key_count(),
                                                     " keys to read, must be 1 to ",
                                                     static_cast<int>(TIDEMARK_MAX_READ_KEYS)));
    }
    request_.key_count = request.key_count();
    absl::Status keys = DecodeKeys(request.keys(), request.key_count(), key_columns, &keys_);
    request_.keys = Data(keys_);
    return keys;
  }
  if (request.mode() != v1::READ_MODE_RANGES) return absl::OkStatus();
  for (auto [bytes, values] :
       {std::pair(&request.lower(), &lower_), std::pair(&request.upper(), &upper_)}) {
    if (bytes->empty()) continue;
    if (absl::Status key = DecodeKeys(*bytes, 1, key_columns, values); !key.ok()) return key;
  }
  request_.lower = Data(lower_);
  request_.upper = Data(upper_);
  return absl::OkStatus();
}

}  // namespace tidemark
