// The sandbox of a connection's plugin: what its description and its settings ask for.
#ifndef TIDEMARK_CONTROL_CONNECTOR_SANDBOX_H_
#define TIDEMARK_CONTROL_CONNECTOR_SANDBOX_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "control/connection.h"
#include "core/sandbox_policy.h"
#include "core/schema.h"
#include "core/setting.h"

namespace tidemark {

// Before the plugin was described: no network, and no file but those of sync.sandbox_paths, which
// may hold its libraries.
SandboxPolicy DescribingSandbox(const SourceSettings& source);

// The real run: network when the plugin declares that it needs it; of a plugin that declares that
// it needs files, what the settings of its path options name. Of a file that is written the whole
// folder opens: beside a SQLite database stand its journals. The
// root folder never opens.
SandboxPolicy ConnectorSandbox(const SourceSettings& source,
                               const ConnectorDescription& description,
                               absl::Span<const Setting> settings);

// `path`, which begins in the current folder unless it is absolute, without "." and "..".
std::string AbsolutePath(absl::string_view path);

// A line for each part of a full sandbox that this machine's kernel lacks: "sandbox: partial: ...".
std::vector<std::string> SandboxWarnings(const SandboxPolicy& policy);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_CONNECTOR_SANDBOX_H_
