// Names with wildcards: * is any run of bytes, ? one byte. Pure functions.
#ifndef TIDEMARK_CORE_GLOB_H_
#define TIDEMARK_CORE_GLOB_H_

#include "absl/strings/string_view.h"

namespace tidemark {

// `pattern` against the whole of `text`; takes at most |pattern| * |text| steps.
bool GlobMatches(absl::string_view pattern, absl::string_view text);
bool IsGlob(absl::string_view pattern);

}  // namespace tidemark

#endif  // TIDEMARK_CORE_GLOB_H_
