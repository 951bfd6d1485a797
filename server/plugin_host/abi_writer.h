// What a plugin is given: ABI structs over core values and messages. Each class owns or keeps alive
// everything its structs point to and is not movable.
#ifndef TIDEMARK_PLUGIN_HOST_ABI_WRITER_H_
#define TIDEMARK_PLUGIN_HOST_ABI_WRITER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "core/checkpoint.h"
#include "core/setting.h"
#include "core/value.h"
#include "plugin_host/plugin_tables.h"
#include "tidemark/plugin_abi.h"
#include "tidemark/read_abi.h"

namespace tidemark {
namespace v1 {
class ReadRequest;
class Start;
}  // namespace v1

// Views `settings`, which must outlive it.
class AbiConfig {
 public:
  explicit AbiConfig(absl::Span<const Setting> settings);
  AbiConfig(const AbiConfig&) = delete;
  AbiConfig& operator=(const AbiConfig&) = delete;
  const tidemark_config* get() const { return &config_; }

 private:
  std::vector<tidemark_setting> settings_;
  tidemark_config config_;
};

// Views `entries`, which must outlive it.
class AbiStates {
 public:
  explicit AbiStates(absl::Span<const StateEntry> entries);
  AbiStates(const AbiStates&) = delete;
  AbiStates& operator=(const AbiStates&) = delete;
  const tidemark_state* data() const { return states_.data(); }
  uint32_t size() const { return static_cast<uint32_t>(states_.size()); }

 private:
  std::vector<tidemark_state> states_;
};

// Views `start` and `states`, which must outlive it.
class AbiRequest {
 public:
  AbiRequest(const v1::Start& start, absl::Span<const StateEntry> states);
  AbiRequest(const AbiRequest&) = delete;
  AbiRequest& operator=(const AbiRequest&) = delete;
  const tidemark_update_request* get() const { return &request_; }

 private:
  const AbiStates states_;
  std::vector<std::vector<uint8_t>> columns_;  // by table
  std::vector<tidemark_selection> selections_;
  tidemark_update_request request_;
};

// A checked request to read rows. Views `request`, which must outlive it.
class AbiRead {
 public:
  AbiRead() = default;
  AbiRead(const AbiRead&) = delete;
  AbiRead& operator=(const AbiRead&) = delete;

  // INVALID_ARGUMENT for what no table could be asked, UNIMPLEMENTED for a mode that `tables` do
  // not offer. `tables`: those of schema().
  absl::Status Fill(const v1::ReadRequest& request, const PluginTables& tables);
  const tidemark_read_request* get() const { return &request_; }

 private:
  absl::Status FillKeys(const v1::ReadRequest& request, uint32_t key_columns);

  std::vector<Value> keys_;
  std::vector<Value> lower_;
  std::vector<Value> upper_;
  std::vector<uint8_t> columns_;
  tidemark_read_request request_ = {};
};

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_ABI_WRITER_H_
