// Reads the text format of Prometheus, version 0.0.4, and complains about what a scraper would.
#ifndef TIDEMARK_TESTS_WEB_EXPOSITION_H_
#define TIDEMARK_TESTS_WEB_EXPOSITION_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tidemark::test {

struct ExpositionFamily {
  std::string type;
  std::string help;
  std::set<std::string> labels;          // names, without "le"
  std::map<std::string, double> series;  // "name{label=\"value\",...}" as it stood -> value
};

// A value.
class Exposition {
 public:
  explicit Exposition(absl::string_view text);

  const std::vector<std::string>& problems() const { return problems_; }
  const std::map<std::string, ExpositionFamily>& families() const { return families_; }
  // The value of one series as it stands in the text, e.g. `a_total{connection="shop"}`.
  std::optional<double> Value(const std::string& series) const;

 private:
  void ReadComment(absl::string_view line);
  void ReadSample(absl::string_view line);
  void CheckHistogram(const std::string& name, const ExpositionFamily& family);

  std::map<std::string, ExpositionFamily> families_;
  std::vector<std::string> problems_;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_WEB_EXPOSITION_H_
