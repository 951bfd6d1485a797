// Parsers of text that arrives from outside.
#include <string>

#include "core/duration_text.h"
#include "core/naming.h"
#include "core/text.h"
#include "core/time_text.h"
#include "tests/fuzz/fuzz_targets.h"
#include "tests/fuzz/require.h"

namespace tidemark::fuzz {
namespace {

void CheckError(const absl::Status& status) {
  Require(absl::IsInvalidArgument(status), "bad text is INVALID_ARGUMENT");
  Require(!status.message().empty(), "an error says something");
}

}  // namespace

void Time(absl::string_view input) {
  if (const absl::StatusOr<ParsedTime> time = ParseTime(input); time.ok()) {
    const std::string text = FormatUtcMicros(time->us);
    // Years outside 0000..9999, which an offset may lead to, are written with a sign and not read.
    const bool signed_year = text[0] == '+' || text[0] == '-';
    const absl::StatusOr<ParsedTime> again = ParseTime(text);
    Require(signed_year || (again.ok() && again->us == time->us),
            "a time that was written can be read");
  } else {
    CheckError(time.status());
  }
  if (const absl::StatusOr<int64_t> days = ParseDate(input); days.ok()) {
    const absl::StatusOr<int64_t> again = ParseDate(FormatDate(*days));
    Require(again.ok() && *again == *days, "a date that was written can be read");
  } else {
    CheckError(days.status());
  }
  if (const absl::StatusOr<int64_t> us = ParseTimeOfDay(input); us.ok()) {
    Require(*us >= 0 && *us <= 86'400'000'000, "a time of day lies in a day");
    const absl::StatusOr<int64_t> again = ParseTimeOfDay(FormatTimeOfDay(*us));
    Require(again.ok() && *again == *us, "a time of day that was written can be read");
  } else {
    CheckError(us.status());
  }
}

void Duration(absl::string_view input) {
  const absl::StatusOr<CalendarDuration> calendar = ParseCalendarDuration(input);
  if (!calendar.ok()) CheckError(calendar.status());
  const absl::StatusOr<absl::Duration> fixed = ParseDuration(input);
  if (!fixed.ok()) return CheckError(fixed.status());
  Require(calendar.ok() && calendar->months == 0 && calendar->rest == *fixed, "both readers agree");
}

void Decimal(absl::string_view input) {
  if (input.size() < 2) return;
  const int32_t precision = static_cast<uint8_t>(input[0]);
  const int32_t scale = static_cast<uint8_t>(input[1]) % (precision + 1);
  const absl::string_view text = input.substr(2);
  if (!IsDecimal(text)) return;
  const std::string canonical = CanonicalDecimal(text);
  Require(IsDecimal(canonical), "a canonical decimal is a decimal");
  Require(CanonicalDecimal(canonical) == canonical, "a canonical decimal stays as it is");
  Require(DecimalFits(text, precision, scale) == DecimalFits(canonical, precision, scale),
          "zeros do not change what fits");
}

void Json(absl::string_view input) {
  JsonChecker checker;
  const absl::Status first = checker.Check(input);
  Require(first.ok() == checker.Check(input).ok(), "the checker keeps nothing from call to call");
  if (first.ok()) Require(IsUtf8(input), "JSON is UTF-8");
}

void Text(absl::string_view input) {
  const bool utf8 = IsUtf8(input);
  for (const size_t bytes : {size_t{0}, size_t{1}, input.size() / 2, input.size(), size_t{9999}}) {
    const absl::string_view cut = CutUtf8(input, bytes);
    Require(cut.size() <= bytes && cut.data() == input.data(), "a cut is a prefix that fits");
    if (utf8) Require(IsUtf8(cut), "a cut of UTF-8 is UTF-8");
    if (utf8) Require(cut.size() + 3 >= std::min(bytes, input.size()), "a cut cuts one character");
  }
  std::string quoted;
  AppendJsonString(input, &quoted);
  JsonChecker checker;
  Require(checker.Check(quoted).ok(), "what is quoted is JSON");
}

void Naming(absl::string_view input) {
  const std::string name = ApplyNaming(tidemark::Naming::kSnakeCase, input);
  Require(ApplyNaming(tidemark::Naming::kSnakeCase, name) == name, "renaming is idempotent");
  Require(ApplyNaming(tidemark::Naming::kSource, input) == input, "source names stay");
  if (IsUtf8(input)) Require(IsUtf8(name), "a name of UTF-8 stays UTF-8");
}

}  // namespace tidemark::fuzz
