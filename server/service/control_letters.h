// The calls of Control about dead letters and conflicts.
#ifndef TIDEMARK_SERVICE_CONTROL_LETTERS_H_
#define TIDEMARK_SERVICE_CONTROL_LETTERS_H_

#include "absl/status/status.h"
#include "service/control_call.h"
#include "service/control_parts.h"
#include "tidemark/v1/control.pb.h"

namespace tidemark {

// As ControlConnections. A letter of another connection of the same destination is NOT_FOUND.
class ControlLetters {
 public:
  explicit ControlLetters(const ControlParts& parts) : parts_(parts) {}

  absl::Status List(ControlCall& call, const v1::ListDeadLettersRequest& request,
                    v1::ListDeadLettersResponse* response);
  absl::Status Get(ControlCall& call, const v1::GetDeadLetterRequest& request,
                   v1::StoredLetter* response);
  absl::Status Edit(ControlCall& call, const v1::EditDeadLetterRequest& request,
                    v1::StoredLetter* response);
  absl::Status Replay(ControlCall& call, const v1::ReplayDeadLettersRequest& request,
                      v1::ReplayDeadLettersResponse* response);
  absl::Status Discard(ControlCall& call, const v1::DiscardDeadLettersRequest& request,
                       v1::DiscardDeadLettersResponse* response);
  absl::Status ListConflicts(ControlCall& call, const v1::ListConflictsRequest& request,
                             v1::ListConflictsResponse* response);

 private:
  const ControlParts& parts_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONTROL_LETTERS_H_
