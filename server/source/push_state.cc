#include "source/push_state.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tidemark {
namespace {

constexpr char kBegin[] = "tidemark-push/1 ";

}  // namespace

std::string PushStateBody(uint64_t sequence, absl::string_view state) {
  return absl::StrCat(kBegin, sequence, "\n", state);
}

absl::StatusOr<PushState> ParsePushState(absl::string_view body, uint32_t format) {
  if (format > kPushStateFormat) {
    return absl::FailedPreconditionError(
        absl::StrCat("the state of this producer has the format ", format, ", this version knows ",
                     kPushStateFormat, ": it was written by a newer one"));
  }
  PushState state;
  absl::string_view rest = body;
  const size_t end = rest.find('\n');
  if (absl::ConsumePrefix(&rest, kBegin) && end != absl::string_view::npos) {
    const absl::string_view number = body.substr(sizeof(kBegin) - 1, end - (sizeof(kBegin) - 1));
    if (absl::SimpleAtoi(number, &state.sequence) && absl::StrCat(state.sequence) == number) {
      state.state = std::string(body.substr(end + 1));
      return state;
    }
  }
  return absl::DataLossError(
      "the state of this producer was not written by Tidemark's Ingest: it does not begin with "
      "\"tidemark-push/1\" and a number");
}

}  // namespace tidemark
