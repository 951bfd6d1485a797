#include "plugin_host/plugin_instance.h"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/failpoint.h"
#include "core/status_context.h"
#include "plugin_host/abi_reader.h"
#include "plugin_host/abi_writer.h"

namespace tidemark {
namespace {

// Nothing may be thrown across the ABI; a plugin that does it all the same ends its sync, not its
// host.
template <typename Call>
absl::Status Contain(absl::string_view name, const PluginError* error, Call call) {
  try {
    const tidemark_code code = call();
    return error == nullptr ? absl::OkStatus() : error->ToStatus(code, name);
  } catch (const std::exception& e) {
    return Misbehaved(absl::StrCat(name, "() threw across the ABI: ", e.what()));
  } catch (...) {
    return Misbehaved(absl::StrCat(name, "() threw across the ABI"));
  }
}

// For functions without a result: what they throw goes to the log.
template <typename Call>
void ContainVoid(HostCallbacks& host, absl::string_view name, Call call) {
  const absl::Status status = Contain(name, nullptr, [&] {
    call();
    return TIDEMARK_OK;
  });
  if (status.ok()) return;
  const absl::string_view text = status.message();
  host.abi()->log(host.abi(), TIDEMARK_LOG_ERROR, {text.data(), text.size()});
}

}  // namespace

PluginInstance::PluginInstance(std::shared_ptr<const PluginLibrary> library)
    : library_(std::move(library)),
      plugin_(library_->table()),
      host_(std::make_unique<HostCallbacks>(absl::StrCat("plugin ", library_->description().id))) {}

absl::StatusOr<std::unique_ptr<PluginInstance>> PluginInstance::Create(
    std::shared_ptr<const PluginLibrary> library, const std::vector<Setting>& settings) {
  std::unique_ptr<PluginInstance> instance(new PluginInstance(std::move(library)));
  const AbiConfig config(settings);
  if (absl::Status s = Failpoint("plugin.create"); !s.ok()) return s;
  PluginError error;
  absl::Status created = Contain("create", &error, [&] {
    return instance->plugin_.create(instance->host_->abi(), config.get(), &instance->connector_,
                                    error.abi());
  });
  if (!created.ok()) {
    // A plugin that failed has nothing to destroy, whatever it left there.
    instance->connector_ = nullptr;
    return created;
  }
  if (instance->connector_ == nullptr) return Misbehaved("create() said OK and gave no connector");
  return instance;
}

PluginInstance::~PluginInstance() {
  if (connector_ == nullptr) return;
  PassFailpoint("plugin.destroy");
  ContainVoid(*host_, "destroy", [&] { plugin_.destroy(connector_); });
}

absl::Status PluginInstance::Check() {
  PluginError error;
  const absl::Status status =
      Contain("check", &error, [&] { return plugin_.check(connector_, error.abi()); });
  return Located(status, error.place());
}

absl::Status PluginInstance::Schema() {
  if (absl::Status s = Failpoint("plugin.schema"); !s.ok()) return s;
  PluginError error;
  const tidemark_schema* schema = nullptr;
  const absl::Status status =
      Contain("schema", &error, [&] { return plugin_.schema(connector_, &schema, error.abi()); });
  if (!status.ok()) return Located(status, error.place());
  absl::StatusOr<std::vector<TableSchema>> tables = ReadSchema(schema);
  if (!tables.ok()) return tables.status();
  if (absl::Status modes = AskForModes(&*tables); !modes.ok()) return modes;
  tables_.emplace(*std::move(tables));
  return absl::OkStatus();
}

absl::Status PluginInstance::AskForModes(std::vector<TableSchema>* tables) {
  if (!can_read()) return absl::OkStatus();
  for (uint32_t i = 0; i < tables->size(); ++i) {
    TableSchema& table = (*tables)[i];
    PluginError error;
    uint32_t modes = 0;
    const absl::Status status = Contain("modes", &error, [&] {
      return library_->read()->modes(connector_, i, &modes, error.abi());
    });
    if (!status.ok()) return WithContext(absl::StrCat("table ", QualifiedName(table)), status);
    table.reads = modes & (kReadKeys | kReadRanges | kReadWhole);
    const bool keyed = std::any_of(table.columns.begin(), table.columns.end(),
                                   [](const Column& column) { return column.key; });
    if (!keyed && (table.reads & (kReadKeys | kReadRanges)) != 0) {
      return Misbehaved(absl::StrCat("table ", QualifiedName(table),
                                     " has no key and is said to be readable by keys"));
    }
  }
  return absl::OkStatus();
}

absl::Status PluginInstance::ValidateState(absl::Span<const StateEntry> states) {
  if (absl::Status s = Failpoint("plugin.validate_state"); !s.ok()) return s;
  PluginError error;
  const AbiStates given(states);
  const absl::Status status = Contain("validate_state", &error, [&] {
    return plugin_.validate_state(connector_, given.data(), sizeof(tidemark_state), given.size(),
                                  error.abi());
  });
  return Located(status, error.place());
}

PluginInstance::Verdict PluginInstance::Update(const tidemark_update_request& request,
                                               const tidemark_sink& sink) {
  if (absl::Status s = Failpoint("plugin.update"); !s.ok()) return {std::move(s), {}};
  PluginError error;
  absl::Status status = Contain(
      "update", &error, [&] { return plugin_.update(connector_, &request, &sink, error.abi()); });
  return {std::move(status), error.place()};
}

PluginInstance::Verdict PluginInstance::Read(const tidemark_read_request& request,
                                             const tidemark_sink& sink) {
  PluginError error;
  absl::Status status = Contain("read", &error, [&] {
    return library_->read()->read(connector_, &request, &sink, error.abi());
  });
  return {std::move(status), error.place()};
}

void PluginInstance::Acknowledged(const Acknowledgement& acknowledgement) {
  const AbiStates releasable(acknowledgement.releasable);
  tidemark_acknowledgement given{};
  given.struct_size = sizeof(given);
  given.state_size = sizeof(tidemark_state);
  given.durable = acknowledgement.durable;
  given.releasable_count = releasable.size();
  given.releasable = releasable.data();
  ContainVoid(*host_, "acknowledged", [&] { plugin_.acknowledged(connector_, &given); });
}

void PluginInstance::Interrupt() {
  ContainVoid(*host_, "interrupt", [&] { plugin_.interrupt(connector_); });
}

absl::Status PluginInstance::Located(const absl::Status& status, const ErrorPlace& place) const {
  if (status.ok() || !tables_.has_value() || place.table >= tables_->size()) return status;
  const TableSchema& table = tables_->at(place.table);
  std::string where = absl::StrCat("table ", QualifiedName(table));
  if (place.column < table.columns.size()) {
    absl::StrAppend(&where, ", column ", table.columns[place.column].name);
  }
  return WithContext(where, status);
}

}  // namespace tidemark
