// A whole connector in C++: derive from Connector, end the file with TIDEMARK_EXPORT_CONNECTOR.
//
// Header-only; everything here ends up inside the plugin, only the C ABI of plugin_abi.h crosses to
// the host. README.md of the SDK shows a first connector.
#ifndef TIDEMARK_CONNECTOR_H_
#define TIDEMARK_CONNECTOR_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tidemark/config.h"
#include "tidemark/schema.h"
#include "tidemark/sink.h"
#include "tidemark/status.h"
#include "tidemark/update_request.h"
#include "tidemark/value.h"

namespace tidemark {
inline namespace sdk_v1 {

// Reads one kind of source. A class deriving from it has a constructor from const Config&, or, if
// making it can fail,
//   static absl::StatusOr<std::unique_ptr<Class>> Create(const tidemark::Config&);
// Both are quick and do no I/O. abilities.h lists what else it may derive from.
// One call at a time; exceptions end as INTERNAL.
class Connector {
 public:
  virtual ~Connector() = default;

  // The tables known before reading; the same each time.
  virtual absl::StatusOr<tidemark::Schema> Schema() = 0;

  // Reads the source from request.State() on, puts changes into the sink and checkpoints between
  // them. Returns the error of a sink call at once. OK: everything there was has been emitted.
  // UNAVAILABLE, RESOURCE_EXHAUSTED, ABORTED and DEADLINE_EXCEEDED ask for another attempt from
  // the last committed state (see WithRetryAfter); other codes stop the sync.
  virtual absl::Status Update(const UpdateRequest& request, Sink& sink) = 0;
};

}  // namespace sdk_v1
}  // namespace tidemark

#include "tidemark/export.h"  // IWYU pragma: export

#endif  // TIDEMARK_CONNECTOR_H_
