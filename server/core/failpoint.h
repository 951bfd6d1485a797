// Named places where a test makes the program fail: an error, a wait, an exception, a short write,
// or the death of the process. They are part of every build; while nothing is armed, passing one
// costs a relaxed atomic load.
//
// Armed by two environment variables, read once at the start of each program (a connector's
// process inherits them from its server):
//   TIDEMARK_FAILPOINTS     what shall happen:
//     list   = [ point *( ";" point ) ]
//     point  = name "=" step *( "->" step )
//     step   = [ count "*" ] action         ; how many passes it lasts; only the last step may go
//                                           ; without a count: it stays. After a last step with a
//                                           ; count the point is off.
//     action = "off"                        ; passes
//            | "error(" code ")"            ; a name of absl::StatusCode, such as UNAVAILABLE
//            | "delay(" milliseconds ")"
//            | "kill" | "stop"              ; SIGKILL or SIGSTOP to the own process
//            | "abort"                      ; SIGABRT
//            | "throw"                      ; a std::runtime_error
//            | "short(" bytes ")"           ; see ShortWrite; elsewhere passes
//     Example: apply.before_commit=2*off->1*kill;open.destination=error(UNAVAILABLE)
//   TIDEMARK_FAILPOINT_LOG  a file that is appended to, in whole lines, by each process: "hit NAME"
//     at a point's first pass, "fired NAME" before each action but off. A test reads there, across
//     all processes, what was really reached.
#ifndef TIDEMARK_CORE_FAILPOINT_H_
#define TIDEMARK_CORE_FAILPOINT_H_

#include <atomic>
#include <cstddef>
#include <iterator>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/failpoint_names.h"

namespace tidemark {

// A name out of kFailpointNames; any other does not compile.
class FailpointName {
 public:
  // Implicit, so that a failpoint is named by its literal and that is checked while compiling.
  consteval FailpointName(const char* name)  // NOLINT(google-explicit-constructor)
      : index_(IndexOf(name)) {}
  size_t index() const { return index_; }

 private:
  static consteval size_t IndexOf(std::string_view name) {
    for (size_t i = 0; i < std::size(kFailpointNames); ++i) {
      if (kFailpointNames[i] == name) return i;
    }
    TheNameDoesNotStandInFailpointNames();  // not consteval: the compiler stops here
    return 0;
  }
  static void TheNameDoesNotStandInFailpointNames() {}
  size_t index_;
};

namespace failpoint_internal {
extern std::atomic<bool> armed;
absl::Status Pass(size_t point);
size_t PassWrite(size_t point, size_t bytes);
}  // namespace failpoint_internal

// To be called where the error can be returned: OK, or the armed error
// ("failpoint NAME"). Thread-safe.
inline absl::Status Failpoint(FailpointName name) {
  if (!failpoint_internal::armed.load(std::memory_order_relaxed)) [[likely]] {
    return absl::OkStatus();
  }
  return failpoint_internal::Pass(name.index());
}

// Where nothing can be returned: an armed error has no effect. Thread-safe.
inline void PassFailpoint(FailpointName name) {
  if (!failpoint_internal::armed.load(std::memory_order_relaxed)) [[likely]]
    return;
  failpoint_internal::Pass(name.index()).IgnoreError();
}

// How many of the next `bytes` a write may take: all of them, or what "short(n)" leaves. The
// caller treats less as the system's short write. Thread-safe.
inline size_t ShortWrite(FailpointName name, size_t bytes) {
  if (!failpoint_internal::armed.load(std::memory_order_relaxed)) [[likely]]
    return bytes;
  return failpoint_internal::PassWrite(name.index(), bytes);
}

// Arms what `list` says and disarms everything else; "" disarms all. `log` is the path of the log,
// "" for none. INVALID_ARGUMENT names an unknown point or what is wrong with the grammar, and
// nothing is armed. To be called while no other thread passes a failpoint.
absl::Status ArmFailpoints(absl::string_view list, absl::string_view log);

// Reads both variables; to be called at the start of main().
absl::Status ArmFailpointsFromEnvironment();

}  // namespace tidemark

#endif  // TIDEMARK_CORE_FAILPOINT_H_
