// The first rows of a connector, without a destination.
#ifndef TIDEMARK_CONTROL_PREVIEW_H_
#define TIDEMARK_CONTROL_PREVIEW_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "control/engine.h"
#include "core/value.h"
#include "pipeline/change_source.h"

namespace tidemark {

// Starts a dry run with empty states and cancels it when every table (or `table`) has `rows` rows.
// NOT_FOUND: there is no such table.
absl::StatusOr<Preview> PreviewSource(ChangeSource& source, const std::string& connection,
                                      const std::string& table, size_t rows);

// A value as people read it; nullopt: NULL.
std::optional<std::string> ValueText(const Value& value);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_PREVIEW_H_
