// Whose table it is (semantics.md section 4). A connection's tables are its own. Programs that push
// into one connection are the connections "<connection>/<producer>", each with a state of its own,
// and share its tables. Pure functions; thread-safe.
#ifndef TIDEMARK_DESTINATION_TABLE_OWNER_H_
#define TIDEMARK_DESTINATION_TABLE_OWNER_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tidemark {

// The connection a producer pushes into; of any other name the name itself. No connection's name
// holds a '/'.
inline absl::string_view ConnectionOf(absl::string_view name) {
  return name.substr(0, name.find('/'));
}

// How _tidemark_tables calls the owner of a table that several of `name`'s connection write. No
// producer's name holds a '*'.
inline std::string SharedOwner(absl::string_view name) {
  return absl::StrCat(ConnectionOf(name), "/*");
}

// Whether connection or producer `name` may write a table of `owner`.
inline bool MayWrite(absl::string_view owner, absl::string_view name) {
  return ConnectionOf(owner) == ConnectionOf(name);
}

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_TABLE_OWNER_H_
