// Which call needs which role. A method that has no rule is refused: a new one is closed until
// somebody writes its line (tests/service/call_gate_test.cc walks the service descriptors).
#ifndef TIDEMARK_SERVICE_METHOD_RULES_H_
#define TIDEMARK_SERVICE_METHOD_RULES_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "access/role.h"

namespace tidemark {

// What a caller's list of connections is held against.
enum class CallScope {
  kNone,    // nothing of one connection is told
  kServer,  // the server as a whole: callers limited to some connections never may
  kField,   // the connection that MethodRule::field of the request names
  kEach,    // each element of the answer: the work asks CallGate::Sees()
  kLater,   // known after looking: the work asks CallGate::Allow()
};

// All texts live for ever.
struct MethodRule {
  const char* method;  // "/tidemark.v1.Control/GetServer"
  Role role;
  CallScope scope;
  const char* field;     // of the request; what the call is about, for scope and audit; may be ""
  bool changes = false;  // is entered in the audit log, whatever comes of it
  bool slow = false;     // starts a connector or reads a destination: has threads of its own
};

absl::Span<const MethodRule> MethodRules();
// Null: there is none.
const MethodRule* FindMethodRule(absl::string_view method);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_METHOD_RULES_H_
