#include "plugin_host/plugin_library.h"

#include <dlfcn.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/status_context.h"
#include "plugin_host/abi_reader.h"

namespace tidemark {
namespace {

constexpr uint32_t kMajor = TIDEMARK_ABI_VERSION >> 16;
constexpr uint32_t kNewestMajorKnownByName = 16;

absl::Status OtherAbi(uint32_t major) {
  return absl::FailedPreconditionError(
      absl::StrCat("it was built for plugin ABI ", major, ", this host speaks ABI ", kMajor,
                   major > kMajor ? ": update Tidemark, or build the plugin with this SDK"
                                  : ": build the plugin with this SDK"));
}

// What the optional slots of the table are when the plugin leaves them out.
tidemark_code NothingToCheck(tidemark_connector*, tidemark_error*) { return TIDEMARK_OK; }
void NotInterested(tidemark_connector*, const tidemark_acknowledgement*) {}
void NotInterruptible(tidemark_connector*) {}
tidemark_code NothingToValidate(tidemark_connector*, const tidemark_state*, uint32_t, uint32_t,
                                tidemark_error*) {
  return TIDEMARK_OK;
}
const void* NoExtension(const char*) { return nullptr; }

absl::Status CheckIdentity(const tidemark_plugin& table) {
  const absl::string_view id = table.id == nullptr ? "" : table.id;
  const bool spelled = std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
  if (id.empty() || !spelled || id.size() > TIDEMARK_MAX_NAME_BYTES) {
    return absl::FailedPreconditionError(
        "its id must be 1 to 255 letters a-z, digits, dots, underscores or dashes");
  }
  if (table.version == nullptr || *table.version == '\0') {
    return absl::FailedPreconditionError(absl::StrCat("plugin ", id, " has no version"));
  }
  const std::pair<const char*, bool> required[] = {{"create", table.create != nullptr},
                                                   {"destroy", table.destroy != nullptr},
                                                   {"schema", table.schema != nullptr},
                                                   {"update", table.update != nullptr}};
  for (const auto& [name, present] : required) {
    if (!present) {
      return absl::FailedPreconditionError(
          absl::StrCat("plugin ", id, " has no function ", name, "(), which is required"));
    }
  }
  return absl::OkStatus();
}

// Copies what the plugin's table reaches; refuses what cannot be a table of this major version.
absl::StatusOr<tidemark_plugin> ReadTable(const tidemark_plugin* given) {
  if (given == nullptr)
    return absl::FailedPreconditionError("its entry function gave no function table");
  if (given->struct_size < offsetof(tidemark_plugin, id)) {
    return absl::FailedPreconditionError(
        absl::StrCat("its function table says it has ", given->struct_size, " bytes"));
  }
  if (const uint32_t major = given->abi_version >> 16; major != kMajor) return OtherAbi(major);
  if (!TIDEMARK_HAS(tidemark_plugin, given, update)) {
    return absl::FailedPreconditionError(absl::StrCat("its function table has ", given->struct_size,
                                                      " bytes and ends before ",
                                                      "update(), which is required"));
  }
  tidemark_plugin table{};
  std::memcpy(&table, given, std::min<size_t>(given->struct_size, sizeof(table)));
  if (absl::Status identity = CheckIdentity(table); !identity.ok()) return identity;
  if (table.check == nullptr) table.check = NothingToCheck;
  if (table.acknowledged == nullptr) table.acknowledged = NotInterested;
  if (table.interrupt == nullptr) table.interrupt = NotInterruptible;
  if (table.validate_state == nullptr) table.validate_state = NothingToValidate;
  if (table.extension == nullptr) table.extension = NoExtension;
  return table;
}

// A library without our entry symbol: built for another major, or no plugin at all.
absl::Status NoEntry(void* library) {
  for (uint32_t major = kNewestMajorKnownByName; major > 0; --major) {
    const std::string symbol = absl::StrCat("tidemark_plugin_entry_v", major);
    if (dlsym(library, symbol.c_str()) != nullptr) return OtherAbi(major);
  }
  return absl::FailedPreconditionError(
      "it is not a Tidemark plugin: it does not export " TIDEMARK_ENTRY_SYMBOL);
}

// A library that throws in its entry function is one that cannot be used.
const tidemark_plugin* CallEntry(tidemark_plugin_entry_fn entry) {
  try {
    return entry();
  } catch (...) {
    return nullptr;
  }
}

// The plugin's tidemark.read/1, or null.
absl::StatusOr<const tidemark_read_v1*> ReadExtension(const tidemark_plugin& table) {
  const void* given = nullptr;
  try {
    given = table.extension(TIDEMARK_READ_EXTENSION);
  } catch (...) {
    return absl::FailedPreconditionError("extension() threw across the ABI");
  }
  const auto* read = static_cast<const tidemark_read_v1*>(given);
  if (read == nullptr) return read;
  if (!TIDEMARK_HAS(tidemark_read_v1, read, read) || read->modes == nullptr ||
      read->read == nullptr) {
    return absl::FailedPreconditionError("its table of " TIDEMARK_READ_EXTENSION
                                         " is too small or has no modes() or read()");
  }
  return read;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const PluginLibrary>> PluginLibrary::Open(const std::string& path) {
  const std::string where = absl::StrCat("cannot load plugin ", path);
  // An absolute path, so that dlopen does not search the folders of the system.
  const std::unique_ptr<char, decltype(&free)> absolute(realpath(path.c_str(), nullptr), free);
  if (absolute == nullptr) {
    return absl::NotFoundError(absl::StrCat(where, ": ", strerror(errno)));
  }
  void* library = dlopen(absolute.get(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* reason = dlerror();
    return absl::FailedPreconditionError(
        absl::StrCat(where, ": ", reason == nullptr ? "not a shared library" : reason));
  }
  void* symbol = dlsym(library, TIDEMARK_ENTRY_SYMBOL);
  if (symbol == nullptr) return WithContext(where, NoEntry(library));
  absl::StatusOr<tidemark_plugin> table =
      ReadTable(CallEntry(reinterpret_cast<tidemark_plugin_entry_fn>(symbol)));
  if (!table.ok()) return WithContext(where, table.status());
  absl::StatusOr<ConnectorDescription> description = ReadDescription(*table);
  if (!description.ok()) {
    return WithContext(where, absl::FailedPreconditionError(absl::StrCat(
                                  "plugin ", table->id, ": ", description.status().message())));
  }
  absl::StatusOr<const tidemark_read_v1*> read = ReadExtension(*table);
  if (!read.ok()) {
    return WithContext(where, absl::FailedPreconditionError(absl::StrCat("plugin ", table->id, ": ",
                                                                         read.status().message())));
  }
  if (*read != nullptr) description->extensions.push_back(TIDEMARK_READ_EXTENSION);
  return std::shared_ptr<const PluginLibrary>(
      new PluginLibrary(absolute.get(), *table, *std::move(description), *read));
}

}  // namespace tidemark
