// The fuzz targets: one function for each parser of outside bytes. Each takes any input, checks
// what must hold for every input, and ends the process where it does not. libFuzzer runs them in
// clang's tree (libfuzzer_main.cc), corpus_test.cc over the committed corpus everywhere.
#ifndef TIDEMARK_TESTS_FUZZ_FUZZ_TARGETS_H_
#define TIDEMARK_TESTS_FUZZ_FUZZ_TARGETS_H_

#include "absl/strings/string_view.h"

namespace tidemark::fuzz {

void Rows(absl::string_view input);  // row_count:u16 column_count:u8, then packed rows
void Meta(absl::string_view input);  // row_count:u16, then stamps
void Time(absl::string_view input);  // instants, dates, times of day
void Duration(absl::string_view input);
void Decimal(absl::string_view input);  // precision:u8 scale:u8, then the text
void Json(absl::string_view input);
void Text(absl::string_view input);  // UTF-8: checked, cut, quoted
void Naming(absl::string_view input);
void Csv(absl::string_view input);  // delimiter:u8, then the file

struct Target {
  const char* name;  // of the function, and of its folder in corpus/
  void (*run)(absl::string_view);
};
inline constexpr Target kTargets[] = {
    {"rows", Rows},         {"meta", Meta},       {"time", Time},
    {"duration", Duration}, {"decimal", Decimal}, {"json", Json},
    {"text", Text},         {"naming", Naming},   {"csv", Csv},
};

}  // namespace tidemark::fuzz

#endif  // TIDEMARK_TESTS_FUZZ_FUZZ_TARGETS_H_
