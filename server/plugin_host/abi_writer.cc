#include "plugin_host/abi_writer.h"

#include <bit>

#include "core/value.h"
#include "tidemark/v1/connector.pb.h"

namespace tidemark {
namespace {

tidemark_bytes Bytes(const std::string& text) { return {text.data(), text.size()}; }

tidemark_value AbiValue(const Setting& setting) {
  Value value = Value::Int(setting.kind, setting.i64);
  if (value.is_text()) value = Value::Text(setting.kind, setting.text);
  if (setting.kind == ValueKind::kDouble) value = Value::Double(setting.f64);
  return std::bit_cast<tidemark_value>(value);
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

}  // namespace tidemark
