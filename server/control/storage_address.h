// What state.storage.connection means for each state.storage.type.
#ifndef TIDEMARK_CONTROL_STORAGE_ADDRESS_H_
#define TIDEMARK_CONTROL_STORAGE_ADDRESS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "control/connection.h"

namespace tidemark {

// Sets kind, and path or address. `type` is a choice of state.storage.type but destination;
// `folder` is where relative paths begin; `destination` is the path of the destination's database.
// Returns what is wrong, without repeating `text`, or "".
std::string ReadStorageAddress(const std::string& type, const std::string& text,
                               const std::string& folder, const std::string& destination,
                               StorageSettings* storage);

// The passwords in the address, and the address itself where it holds one: for the redactor.
std::vector<std::string> StorageSecrets(const StorageSettings& storage);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_STORAGE_ADDRESS_H_
