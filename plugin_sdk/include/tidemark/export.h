// TIDEMARK_EXPORT_CONNECTOR: the function table of a plugin around a Connector class.
#ifndef TIDEMARK_EXPORT_H_
#define TIDEMARK_EXPORT_H_

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tidemark/abilities.h"
#include "tidemark/connector.h"
#include "tidemark/plugin_abi.h"
#include "tidemark/row_reader.h"

namespace tidemark {
inline namespace sdk_v1 {

// Capabilities, to be combined with |.
enum Capability : uint64_t {
  kCanTableState = TIDEMARK_CAN_TABLE_STATE,  // an entry of state for each table
  kCanRewind = TIDEMARK_CAN_REWIND,           // Update() may be started from an earlier state
  kNeedsNetwork = TIDEMARK_NEEDS_NETWORK,
  kNeedsFiles = TIDEMARK_NEEDS_FILES,
  // Checkpoints stand at the ends of source transactions only; order between tables is kept.
  kSourceTransactions = TIDEMARK_SOURCE_TRANSACTIONS,
};

// What TIDEMARK_EXPORT_CONNECTOR is given, with designated initialisers in this order.
struct PluginDescription {
  const char* id;       // "io.example.squares" or a plain word
  const char* version;  // of the plugin
  const char* description = "";
  uint64_t capabilities = 0;
  uint32_t state_format = 1;  // the number of the format of its state bodies
  std::vector<Option> options = {};
};

namespace internal {

// The plugin's side of one tidemark_connector.
template <typename T>
class Instance {
 public:
  Instance(const tidemark_host* host, std::unique_ptr<T> connector, const PluginDescription& about)
      : host_(host), connector_(std::move(connector)), about_(about) {}

  static Instance* From(tidemark_connector* c) { return reinterpret_cast<Instance*>(c); }

  absl::Status Schema(const tidemark_schema** schema) {
    absl::StatusOr<tidemark::Schema> declared = connector_->Schema();
    if (!declared.ok()) return declared.status();
    view_.reset();
    schema_ = *std::move(declared);
    view_.emplace(schema_->tables());
    tables_.reset();
    *schema = view_->get();
    return absl::OkStatus();
  }

  absl::Status Update(const tidemark_update_request* request, const tidemark_sink* raw_sink) {
    if (absl::Status s = NeedTables(); !s.ok()) return s;
    Sink sink(raw_sink, Host(host_), tables_.get(), about_.state_format,
              (about_.capabilities & TIDEMARK_SOURCE_TRANSACTIONS) != 0);
    const UpdateRequest view(*request, *schema_, cancelled_);
    return End(connector_->Update(view, sink), sink);
  }

  // tidemark.read/1, of a T that is a RowReader.
  absl::Status ReadModes(uint32_t table, uint32_t* modes) {
    absl::StatusOr<const Table*> declared = DeclaredTable(table);
    if (!declared.ok()) return declared.status();
    *modes = connector_->ReadModes(**declared);
    return absl::OkStatus();
  }
  absl::Status Read(const tidemark_read_request* request, const tidemark_sink* raw_sink) {
    if (!TIDEMARK_HAS(tidemark_read_request, request, reserved)) {
      return absl::InvalidArgumentError("tidemark_read_request is too small");
    }
    absl::StatusOr<const Table*> table = DeclaredTable(request->table);
    if (!table.ok()) return table.status();
    if ((connector_->ReadModes(**table) & request->mode) == 0) {
      return absl::UnimplementedError(absl::StrCat("table ", (*table)->name(), " cannot be read ",
                                                   request->mode == kReadKeys ? "by keys"
                                                   : request->mode == kReadRanges
                                                       ? "by ranges of keys"
                                                       : "as a whole"));
    }
    uint32_t key_columns = 0;
    for (const Table::ColumnSpec& c : (*table)->columns()) {
      if ((c.flags & TIDEMARK_COLUMN_KEY) != 0) ++key_columns;
    }
    const bool keyed =
        request->keys != nullptr || request->lower != nullptr || request->upper != nullptr;
    if (keyed && request->key_columns != key_columns) {
      return absl::InvalidArgumentError(absl::StrCat("a key of table ", (*table)->name(), " has ",
                                                     key_columns, " values, not ",
                                                     request->key_columns));
    }
    Sink sink(raw_sink, Host(host_), tables_.get(), about_.state_format, false);
    const ReadRequest view(*request, **table, cancelled_);
    return End(connector_->ReadRows(view, sink), sink);
  }

  void Interrupt() {
    cancelled_.store(true, std::memory_order_relaxed);
    if constexpr (std::is_base_of_v<Interruptible, T>) connector_->Interrupt();
  }

  T& connector() { return *connector_; }

 private:
  absl::Status NeedTables() {
    if (!schema_.has_value()) {
      const tidemark_schema* unused = nullptr;
      if (absl::Status s = Schema(&unused); !s.ok()) return s;
    }
    if (tables_ == nullptr) tables_ = std::make_unique<TableSet>(*schema_);
    return absl::OkStatus();
  }
  absl::StatusOr<const Table*> DeclaredTable(uint32_t table) {
    if (absl::Status s = NeedTables(); !s.ok()) return s;
    if (table < schema_->tables().size()) return &schema_->tables()[table];
    return absl::InvalidArgumentError(absl::StrCat("there is no table number ", table));
  }
  // The verdict of a run whose author returned `status`.
  absl::Status End(absl::Status status, Sink& sink) {
    // What the sink refused counts, also if the author looked away.
    if (status.ok()) status = sink.Emit();
    // A source that breaks off because of the interruption has not failed.
    if (!status.ok() && cancelled_.load() && !absl::IsCancelled(status)) {
      return absl::CancelledError(absl::StrCat("interrupted: ", status.message()));
    }
    return status;
  }

  const tidemark_host* const host_;
  const std::unique_ptr<T> connector_;
  const PluginDescription& about_;
  std::optional<tidemark::Schema> schema_;
  std::optional<SchemaView> view_;  // borrows schema_
  std::unique_ptr<TableSet> tables_;
  std::atomic<bool> cancelled_ = false;  // once and for all: an interrupted instance is given up
};

// The function table of connector class T, built once.
template <typename T>
class PluginTable {
 public:
  explicit PluginTable(PluginDescription about) : about_(std::move(about)) {
    choices_.reserve(about_.options.size());
    for (const Option& o : about_.options) {
      choices_.push_back(o.choices);
      choices_.back().push_back(nullptr);
      options_.push_back({o.name, o.type, o.presence.flags, o.presence.default_value, o.help,
                          o.label, o.choices.empty() ? nullptr : choices_.back().data(),
                          o.json_schema});
    }
    table_ = {};
    table_.struct_size = sizeof(table_);
    table_.abi_version = TIDEMARK_ABI_VERSION;
    table_.id = about_.id;
    table_.version = about_.version;
    table_.description = about_.description;
    table_.capabilities = about_.capabilities;
    table_.state_format = about_.state_format;
    table_.option_count = static_cast<uint32_t>(options_.size());
    table_.option_size = sizeof(tidemark_option);
    table_.options = options_.data();
    table_.create = &Create;
    table_.destroy = &Destroy;
    table_.schema = &Schema;
    table_.update = &Update;
    table_.interrupt = &Interrupt;
    if constexpr (std::is_base_of_v<Checkable, T>) table_.check = &Check;
    if constexpr (std::is_base_of_v<Acknowledgeable, T>) table_.acknowledged = &Acknowledged;
    if constexpr (std::is_base_of_v<StateValidator, T>) table_.validate_state = &ValidateState;
    if constexpr (std::is_base_of_v<RowReader, T>) table_.extension = &Extension;
  }
  PluginTable(const PluginTable&) = delete;
  PluginTable& operator=(const PluginTable&) = delete;

  const tidemark_plugin* get() const { return &table_; }

  // The only one of the library. Defined by TIDEMARK_EXPORT_CONNECTOR.
  static const PluginTable& Get();

 private:
  using In = Instance<T>;

  static tidemark_code Create(const tidemark_host* host, const tidemark_config* raw,
                              tidemark_connector** out, tidemark_error* error) {
    return Guard(error, [&]() -> absl::Status {
      const Config config(host, raw);
      absl::StatusOr<std::unique_ptr<T>> connector = Make(config);
      if (!connector.ok()) return connector.status();
      if (!config.error().ok()) return config.error();
      auto instance = std::make_unique<In>(host, *std::move(connector), PluginTable::Get().about_);
      *out = reinterpret_cast<tidemark_connector*>(instance.release());
      return absl::OkStatus();
    });
  }
  static absl::StatusOr<std::unique_ptr<T>> Make(const Config& config) {
    if constexpr (requires { T::Create(config); }) {
      return T::Create(config);
    } else {
      return std::make_unique<T>(config);
    }
  }
  static void Destroy(tidemark_connector* c) {
    Guard(nullptr, [&] {
      delete In::From(c);
      return absl::OkStatus();
    });
  }
  static tidemark_code Check(tidemark_connector* c, tidemark_error* error) {
    return Guard(error, [&] { return In::From(c)->connector().Check(); });
  }
  static tidemark_code Schema(tidemark_connector* c, const tidemark_schema** schema,
                              tidemark_error* error) {
    return Guard(error, [&] { return In::From(c)->Schema(schema); });
  }
  static tidemark_code Update(tidemark_connector* c, const tidemark_update_request* request,
                              const tidemark_sink* sink, tidemark_error* error) {
    return Guard(error, [&] { return In::From(c)->Update(request, sink); });
  }
  static void Acknowledged(tidemark_connector* c, const tidemark_acknowledgement* raw) {
    Guard(nullptr, [&] {
      In::From(c)->connector().Acknowledged(
          {raw->durable, ToEntries(raw->releasable, raw->state_size, raw->releasable_count)});
      return absl::OkStatus();
    });
  }
  static void Interrupt(tidemark_connector* c) {
    Guard(nullptr, [&] {
      In::From(c)->Interrupt();
      return absl::OkStatus();
    });
  }
  static tidemark_code ValidateState(tidemark_connector* c, const tidemark_state* states,
                                     uint32_t state_size, uint32_t state_count,
                                     tidemark_error* error) {
    return Guard(error, [&] {
      return In::From(c)->connector().ValidateState(ToEntries(states, state_size, state_count));
    });
  }

  static const void* Extension(const char* id) {
    static constexpr tidemark_read_v1 kRead = {sizeof(tidemark_read_v1), 0, &ReadModes, &Read};
    return id != nullptr && std::strcmp(id, TIDEMARK_READ_EXTENSION) == 0 ? &kRead : nullptr;
  }
  static tidemark_code ReadModes(tidemark_connector* c, uint32_t table, uint32_t* modes,
                                 tidemark_error* error) {
    return Guard(error, [&] { return In::From(c)->ReadModes(table, modes); });
  }
  static tidemark_code Read(tidemark_connector* c, const tidemark_read_request* request,
                            const tidemark_sink* sink, tidemark_error* error) {
    return Guard(error, [&] { return In::From(c)->Read(request, sink); });
  }

  const PluginDescription about_;
  std::vector<std::vector<const char*>> choices_;  // NULL-terminated
  std::vector<tidemark_option> options_;
  tidemark_plugin table_;
};

}  // namespace internal
}  // namespace sdk_v1
}  // namespace tidemark

// Makes a shared library a plugin; once, at namespace scope, outside of any namespace:
//   TIDEMARK_EXPORT_CONNECTOR(Squares, .id = "io.example.squares", .version = "1.0.0");
#define TIDEMARK_EXPORT_CONNECTOR(Class, ...)                                        \
  template <>                                                                        \
  const ::tidemark::internal::PluginTable<Class>& ::tidemark::internal::PluginTable< \
      Class>::Get() {                                                                \
    static const ::tidemark::internal::PluginTable<Class> table(                     \
        ::tidemark::PluginDescription{__VA_ARGS__});                                 \
    return table;                                                                    \
  }                                                                                  \
  extern "C" TIDEMARK_EXPORT const tidemark_plugin* tidemark_plugin_entry_v1(void) { \
    return ::tidemark::internal::PluginTable<Class>::Get().get();                    \
  }                                                                                  \
  static_assert(true, "so that a semicolon may follow")

#endif  // TIDEMARK_EXPORT_H_
