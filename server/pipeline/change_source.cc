#include "pipeline/change_source.h"

#include <utility>

#include "absl/strings/cord.h"

namespace tidemark {
namespace {

// A payload and not a code: the connector's own verdict may carry any code too.
constexpr char kTransportPayload[] = "tidemark/transport_failure";

}  // namespace

absl::Status ChangeSource::StartRead(const ReadStart&) {
  return absl::UnimplementedError(
      "this connector cannot read rows beside a sync (it does not offer tidemark.read/1)");
}

absl::Status AsTransportFailure(absl::Status status) {
  if (!status.ok()) {
    status.SetPayload(kTransportPayload, absl::Cord("1"));
  }
  return status;
}

bool IsTransportFailure(const absl::Status& status) {
  return status.GetPayload(kTransportPayload).has_value();
}

}  // namespace tidemark
