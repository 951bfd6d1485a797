#include "core/failpoint.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace tidemark {
namespace failpoint_internal {

std::atomic<bool> armed{false};

}  // namespace failpoint_internal

namespace {

constexpr size_t kPoints = std::size(kFailpointNames);

enum class Act { kOff, kError, kDelay, kKill, kStop, kAbort, kThrow, kShort };

struct Step {
  uint64_t until = std::numeric_limits<uint64_t>::max();  // the first pass that is not its own
  Act act = Act::kOff;
  uint64_t number = 0;  // milliseconds or bytes
  absl::StatusCode code = absl::StatusCode::kOk;
};

struct Point {
  std::vector<Step> steps;  // written by ArmFailpoints only
  std::atomic<uint64_t> passes{0};
};

struct Points {
  std::array<Point, kPoints> points;
  int log = -1;
};

// Never destroyed: a plugin's threads may pass a point while the process ends.
Points& All() {
  static Points* const points = new Points;
  return *points;
}

// One write(2) of a whole line to a file opened with O_APPEND: lines of processes do not mix, and
// a line is there although the process dies in the next instruction.
void LogLine(absl::string_view what, size_t point) {
  const int log = All().log;
  if (log < 0) return;
  char line[128];
  size_t size = 0;
  for (const absl::string_view part :
       {what, absl::string_view(" "), absl::string_view(kFailpointNames[point]),
        absl::string_view("\n")}) {
    for (const char c : part) {
      if (size < sizeof line) line[size++] = c;
    }
  }
  const ssize_t written = write(log, line, size);
  static_cast<void>(written);  // a test that misses the line fails
}

absl::Status Problem(absl::string_view point, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(
      "TIDEMARK_FAILPOINTS: ", what, " in \"", point,
      "\"; expected NAME=STEP[->STEP]..., a step being [COUNT*]ACTION and an action off, "
      "error(CODE), delay(MS), kill, stop, abort, throw or short(BYTES)"));
}

// The number inside of "word(123)"; false when `text` is something else.
bool ConsumeCall(absl::string_view text, absl::string_view word, absl::string_view* argument) {
  if (!absl::ConsumePrefix(&text, word) || !absl::ConsumePrefix(&text, "(") ||
      !absl::ConsumeSuffix(&text, ")")) {
    return false;
  }
  *argument = text;
  return true;
}

bool ParseCode(absl::string_view text, absl::StatusCode* code) {
  for (int i = 1; i <= static_cast<int>(absl::StatusCode::kUnauthenticated); ++i) {
    *code = static_cast<absl::StatusCode>(i);
    if (absl::StatusCodeToString(*code) == text) return true;
  }
  return false;
}

bool ParseAction(absl::string_view text, Step* step) {
  constexpr std::pair<absl::string_view, Act> kPlain[] = {{"off", Act::kOff},
                                                          {"kill", Act::kKill},
                                                          {"stop", Act::kStop},
                                                          {"abort", Act::kAbort},
                                                          {"throw", Act::kThrow}};
  for (const auto& [word, act] : kPlain) {
    if (text != word) continue;
    step->act = act;
    return true;
  }
  absl::string_view argument;
  if (ConsumeCall(text, "error", &argument)) {
    step->act = Act::kError;
    return ParseCode(argument, &step->code);
  }
  if (ConsumeCall(text, "delay", &argument)) {
    step->act = Act::kDelay;
    return absl::SimpleAtoi(argument, &step->number);
  }
  step->act = Act::kShort;
  return ConsumeCall(text, "short", &argument) && absl::SimpleAtoi(argument, &step->number);
}

absl::Status ParseSteps(absl::string_view point, absl::string_view text, std::vector<Step>* steps) {
  uint64_t until = 0;
  for (absl::string_view part : absl::StrSplit(text, "->")) {
    if (!steps->empty() && steps->back().until == std::numeric_limits<uint64_t>::max()) {
      return Problem(point, "a step without a count before the last");
    }
    Step step;
    const std::vector<absl::string_view> counted = absl::StrSplit(part, absl::MaxSplits('*', 1));
    uint64_t count = 0;
    if (counted.size() == 2) {
      if (!absl::SimpleAtoi(counted[0], &count) || count == 0) return Problem(point, "a bad count");
      until += count;
      step.until = until;
    }
    if (!ParseAction(counted.back(), &step)) {
      return Problem(point, absl::StrCat("the unknown action \"", counted.back(), "\""));
    }
    steps->push_back(step);
  }
  return absl::OkStatus();
}

absl::Status Parse(absl::string_view list, std::array<std::vector<Step>, kPoints>* steps) {
  for (absl::string_view point : absl::StrSplit(list, ';', absl::SkipWhitespace())) {
    point = absl::StripAsciiWhitespace(point);
    const std::vector<absl::string_view> sides = absl::StrSplit(point, absl::MaxSplits('=', 1));
    if (sides.size() != 2) return Problem(point, "no \"=\"");
    size_t found = 0;
    while (found < kPoints && sides[0] != kFailpointNames[found]) ++found;
    if (found == kPoints) {
      return absl::InvalidArgumentError(
          absl::StrCat("TIDEMARK_FAILPOINTS: there is no failpoint \"", sides[0], "\"; there are ",
                       absl::StrJoin(kFailpointNames, ", ")));
    }
    if (!(*steps)[found].empty()) return Problem(point, "a name for the second time");
    if (absl::Status parsed = ParseSteps(point, sides[1], &(*steps)[found]); !parsed.ok()) {
      return parsed;
    }
  }
  return absl::OkStatus();
}

// The step of this pass, or nullptr for off.
const Step* Take(size_t point) {
  Point& passed = All().points[point];
  const uint64_t pass = passed.passes.fetch_add(1, std::memory_order_relaxed);
  if (pass == 0) LogLine("hit", point);
  for (const Step& step : passed.steps) {
    if (pass >= step.until) continue;
    if (step.act == Act::kOff) return nullptr;
    LogLine("fired", point);
    return &step;
  }
  return nullptr;
}

[[noreturn]] void Die(int signal) {
  if (signal == SIGABRT) std::abort();
  kill(getpid(), signal);
  for (;;) pause();
}

}  // namespace

namespace failpoint_internal {

absl::Status Pass(size_t point) {
  const Step* const step = Take(point);
  if (step == nullptr) return absl::OkStatus();
  const std::string text = absl::StrCat("failpoint ", kFailpointNames[point]);
  switch (step->act) {
    case Act::kOff:
    case Act::kShort:
      break;
    case Act::kError:
      return absl::Status(step->code, text);
    case Act::kDelay:
      absl::SleepFor(absl::Milliseconds(static_cast<int64_t>(step->number)));
      break;
    case Act::kKill:
      Die(SIGKILL);
    case Act::kStop:
      kill(getpid(), SIGSTOP);  // ends when somebody sends SIGCONT
      break;
    case Act::kAbort:
      Die(SIGABRT);
    case Act::kThrow:
      throw std::runtime_error(text);
  }
  return absl::OkStatus();
}

size_t PassWrite(size_t point, size_t bytes) {
  const Step* const step = Take(point);
  if (step == nullptr) return bytes;
  if (step->act == Act::kKill) Die(SIGKILL);
  if (step->act == Act::kAbort) Die(SIGABRT);
  return step->act == Act::kShort && step->number < bytes ? step->number : bytes;
}

}  // namespace failpoint_internal

absl::Status ArmFailpoints(absl::string_view list, absl::string_view log) {
  std::array<std::vector<Step>, kPoints> steps;
  Points& all = All();
  failpoint_internal::armed.store(false, std::memory_order_seq_cst);
  if (all.log >= 0) close(std::exchange(all.log, -1));
  if (absl::Status parsed = Parse(list, &steps); !parsed.ok()) return parsed;
  bool any = false;
  for (size_t i = 0; i < steps.size(); ++i) {
    any = any || !steps[i].empty();
    all.points[i].steps = std::move(steps[i]);
    all.points[i].passes.store(0, std::memory_order_relaxed);
  }
  if (!log.empty()) {
    all.log = open(std::string(log).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (all.log < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("TIDEMARK_FAILPOINT_LOG: ", log, " cannot be opened for appending"));
    }
  }
  failpoint_internal::armed.store(any || all.log >= 0, std::memory_order_seq_cst);
  return absl::OkStatus();
}

absl::Status ArmFailpointsFromEnvironment() {
  const char* const list = std::getenv("TIDEMARK_FAILPOINTS");
  const char* const log = std::getenv("TIDEMARK_FAILPOINT_LOG");
  if (list == nullptr && log == nullptr) return absl::OkStatus();
  return ArmFailpoints(list == nullptr ? "" : list, log == nullptr ? "" : log);
}

}  // namespace tidemark
