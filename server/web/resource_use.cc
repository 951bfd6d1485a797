#include "web/resource_use.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cctype>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace tidemark {
namespace {

// Fields of /proc/PID/stat behind the name, counted from 0 (proc(5) counts from 1: state is 3).
constexpr size_t kParent = 1;
constexpr size_t kUserTicks = 11;
constexpr size_t kSystemTicks = 12;
constexpr size_t kStartTicks = 19;
constexpr size_t kResidentPages = 21;

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Empty where the process has ended meanwhile.
std::vector<uint64_t> StatNumbers(absl::string_view process) {
  const std::string text = ReadWhole(absl::StrCat("/proc/", process, "/stat"));
  const size_t name_end = text.rfind(')');  // the name may hold blanks and brackets
  if (name_end == std::string::npos) return {};
  std::vector<uint64_t> numbers;
  for (absl::string_view field :
       absl::StrSplit(absl::string_view(text).substr(name_end + 1), ' ', absl::SkipWhitespace())) {
    uint64_t number = 0;
    if (!absl::SimpleAtoi(absl::StripSuffix(field, "\n"), &number)) number = 0;
    numbers.push_back(number);
  }
  return numbers.size() > kResidentPages ? numbers : std::vector<uint64_t>();
}

template <typename Visit>
bool EachName(const char* folder, const Visit& visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(folder), closedir);
  if (open == nullptr) return false;
  while (const dirent* entry = readdir(open.get())) {
    if (entry->d_name[0] != '.') visit(absl::string_view(entry->d_name));
  }
  return true;
}

std::optional<double> BootUnixSeconds() {
  const std::string text = ReadWhole("/proc/stat");
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    double seconds = 0;
    if (absl::ConsumePrefix(&line, "btime ") && absl::SimpleAtod(line, &seconds)) return seconds;
  }
  return std::nullopt;
}

void ReadPlugins(uint64_t page_bytes, ResourceUse* use) {
  const uint64_t self = static_cast<uint64_t>(getpid());
  uint64_t plugins = 0;
  uint64_t pages = 0;
  const bool read = EachName("/proc", [&](absl::string_view name) {
    if (std::isdigit(static_cast<unsigned char>(name[0])) == 0) return;
    const std::vector<uint64_t> numbers = StatNumbers(name);
    if (numbers.empty() || numbers[kParent] != self) return;
    ++plugins;
    pages += numbers[kResidentPages];
  });
  if (!read) return;
  use->plugins = plugins;
  use->plugin_resident_bytes = pages * page_bytes;
}

}  // namespace

ResourceUse ReadResourceUse() {
  ResourceUse use;
  const uint64_t page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  if (const std::vector<uint64_t> self = StatNumbers("self"); !self.empty()) {
    use.resident_bytes = self[kResidentPages] * page_bytes;
    use.cpu_seconds = static_cast<double>(self[kUserTicks] + self[kSystemTicks]) / ticks;
    if (const std::optional<double> boot = BootUnixSeconds()) {
      use.started_unix_seconds = *boot + static_cast<double>(self[kStartTicks]) / ticks;
    }
  }
  uint64_t files = 0;
  if (EachName("/proc/self/fd", [&](absl::string_view) { ++files; })) {
    use.open_files = files - 1;  // without the folder itself
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    use.max_open_files = limit.rlim_cur;
  }
  ReadPlugins(page_bytes, &use);
  return use;
}

}  // namespace tidemark
