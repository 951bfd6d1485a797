#include "tests/web/exposition.h"

#include <cmath>
#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace tidemark::test {
namespace {

// The family that a series of a histogram belongs to.
std::string FamilyName(const std::string& name,
                       const std::map<std::string, ExpositionFamily>& all) {
  for (const char* suffix : {"_bucket", "_sum", "_count"}) {
    absl::string_view base = name;
    if (!absl::ConsumeSuffix(&base, suffix)) continue;
    const auto family = all.find(std::string(base));
    if (family != all.end() && family->second.type == "histogram") return std::string(base);
  }
  return name;
}

}  // namespace

Exposition::Exposition(absl::string_view text) {
  if (!absl::EndsWith(text, "\n")) problems_.push_back("no newline at the end");
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (line[0] == '#') {
      ReadComment(line);
    } else {
      ReadSample(line);
    }
  }
  static const std::regex kName("[a-z][a-z0-9_]*");
  for (const auto& [name, family] : families_) {
    if (!std::regex_match(name, kName)) problems_.push_back(name + ": not a good name");
    if (family.help.empty()) problems_.push_back(name + ": no help");
    if ((family.type == "counter") != absl::EndsWith(name, "_total")) {
      problems_.push_back(name + ": only counters end in _total, and all do");
    }
    if (family.series.empty()) problems_.push_back(name + ": no series");
    if (family.type == "histogram") CheckHistogram(name, family);
  }
}

std::optional<double> Exposition::Value(const std::string& series) const {
  for (const auto& [name, family] : families_) {
    const auto found = family.series.find(series);
    if (found != family.series.end()) return found->second;
  }
  return std::nullopt;
}

void Exposition::ReadComment(absl::string_view line) {
  const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 3));
  if (words.size() != 4 || (words[1] != "HELP" && words[1] != "TYPE")) {
    problems_.push_back(absl::StrCat("a comment: ", line));
    return;
  }
  ExpositionFamily& family = families_[words[2]];
  std::string& text = words[1] == "HELP" ? family.help : family.type;
  if (!text.empty()) problems_.push_back(words[2] + ": its " + words[1] + " comes twice");
  if (!family.series.empty()) problems_.push_back(words[2] + ": a comment behind its series");
  text = words[3];
}

void Exposition::ReadSample(absl::string_view line) {
  static const std::string kOne = R"re(([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)")re";
  static const std::regex kLabel(kOne);
  static const std::regex kSample("([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{((?:" + kOne +
                                  ",?)*)\\})? (\\S+)");
  const std::string text(line);
  std::smatch match;
  double value = 0;
  if (!std::regex_match(text, match, kSample) ||
      !absl::SimpleAtod(absl::StripPrefix(match[5].str(), "+"), &value)) {
    problems_.push_back("no sample: " + text);
    return;
  }
  const auto family = families_.find(FamilyName(match[1], families_));
  if (family == families_.end() || family->second.type.empty()) {
    problems_.push_back("no TYPE before " + text);
    return;
  }
  const std::string labels = match[2];
  for (auto label = std::sregex_iterator(labels.begin(), labels.end(), kLabel);
       label != std::sregex_iterator(); ++label) {
    if ((*label)[1] != "le") family->second.labels.insert((*label)[1]);
  }
  if (std::isnan(value)) problems_.push_back("NaN: " + text);
  if (family->second.type == "counter" && value < 0) problems_.push_back("below zero: " + text);
  const std::string series = text.substr(0, text.rfind(' '));
  if (!family->second.series.emplace(series, value).second) {
    problems_.push_back("twice: " + series);
  }
}

// Buckets never fall, the last one is +Inf and equals the count.
void Exposition::CheckHistogram(const std::string& name, const ExpositionFamily& family) {
  static const std::regex kBucket(R"re((.*_bucket\{.*)le="([^"]*)"\})re");
  std::map<std::string, std::map<double, double>> buckets;  // by the other labels
  size_t counts = 0;
  for (const auto& [series, value] : family.series) {
    std::smatch match;
    double bound = HUGE_VAL;
    if (std::regex_match(series, match, kBucket)) {
      if (match[2] != "+Inf" && !absl::SimpleAtod(match[2].str(), &bound)) {
        problems_.push_back("no bound: " + series);
      }
      buckets[match[1]][bound] = value;
    }
    if (absl::StartsWith(series, name + "_count")) ++counts;
  }
  if (counts != buckets.size()) problems_.push_back(name + ": counts and buckets differ");
  for (const auto& [labels, row] : buckets) {
    double last = 0;
    for (const auto& [bound, value] : row) {
      if (value < last) problems_.push_back(labels + ": its buckets fall");
      last = value;
    }
    if (row.rbegin()->first != HUGE_VAL) problems_.push_back(labels + ": no bucket +Inf");
  }
}

}  // namespace tidemark::test
