// The one table of every key of a connection file: it drives validation, the JSON Schema and
// `tidemark explain KEY`. Other files bring a table of their own (service/settings_keys.h).
#ifndef TIDEMARK_CONTROL_CONFIGURATION_KEYS_H_
#define TIDEMARK_CONTROL_CONFIGURATION_KEYS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace tidemark {

enum class KeyType {
  kSection,  // a map of further keys of the table
  kText,
  kInteger,
  kNumber,
  kBoolean,
  kDuration,    // core/duration_text.h
  kBytes,       // a number, or with kB, MB, GB, KiB, MiB, GiB
  kTextList,    // one text or a list of texts
  kTextMap,     // a map of texts
  kIntegerMap,  // a map of integers
  kAny,         // whatever the connector declares
  kAnything,    // any node: whoever uses it checks it
  kTables,      // a list of names and maps, or a map: table -> settings
  kList,        // a list of maps of further keys (path element "[]")
};

// All texts live for ever. `path` is dotted; "*" stands for one element of any name, "[]" for the
// items of a list.
struct ConfigurationKey {
  const char* path;
  KeyType type;
  const char* choices;        // "a|b"; empty: any value of the type
  const char* not_built;      // choices that are refused by name; "*": any value is
  const char* default_value;  // text, empty: none
  const char* meaning;        // sentences
  const char* example;        // a value that differs from the default
  double minimum = 0;         // kInteger, kNumber; used when maximum > 0
  double maximum = 0;
};

using KeyTable = absl::Span<const ConfigurationKey>;

// Of connection files.
KeyTable ConfigurationKeys();

// The row of the table that `path` ("sync.source.tables.user.deletes") stands for, or null. Keys
// below kAny and inside maps have none of their own.
const ConfigurationKey* FindConfigurationKey(absl::string_view path,
                                             KeyTable keys = ConfigurationKeys());

// The names allowed directly below the section `path` ("" is the whole file); "*" is left out.
std::vector<std::string> KeysBelow(absl::string_view path, KeyTable keys = ConfigurationKeys());

// The candidate nearest to `word` by edit distance, at most a third of its length away; empty:
// none is near.
std::string NearestName(absl::string_view word, const std::vector<std::string>& candidates);

// The paths that end in `.name`, for "did you mean sync.batch_size?".
std::vector<std::string> PathsEndingIn(absl::string_view name, KeyTable keys = ConfigurationKeys());

const char* KeyTypeName(KeyType type);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_CONFIGURATION_KEYS_H_
