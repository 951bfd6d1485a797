#include "source/child_environment.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tidemark {
namespace {

constexpr absl::string_view kNames[] = {"LANG",
                                        "LANGUAGE",
                                        "TZ",
                                        "TZDIR",
                                        "SSL_CERT_FILE",
                                        "SSL_CERT_DIR",
                                        "CURL_CA_BUNDLE",
                                        "LD_LIBRARY_PATH",
                                        "GLIBC_TUNABLES",
                                        "GRPC_VERBOSITY",
                                        "GRPC_TRACE",
                                        "TIDEMARK_FAILPOINTS",
                                        "TIDEMARK_FAILPOINT_LOG",
                                        "ASAN_OPTIONS",
                                        "LSAN_OPTIONS",
                                        "TSAN_OPTIONS",
                                        "UBSAN_OPTIONS"};
constexpr absl::string_view kPrefixes[] = {"LC_", "MALLOC_", "GCOV_"};
constexpr absl::string_view kProxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                          "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

bool Passes(absl::string_view name, bool network) {
  const auto is_name = [name](absl::string_view known) { return known == name; };
  const auto begins = [name](absl::string_view prefix) { return absl::StartsWith(name, prefix); };
  return std::any_of(std::begin(kNames), std::end(kNames), is_name) ||
         std::any_of(std::begin(kPrefixes), std::end(kPrefixes), begins) ||
         (network && std::any_of(std::begin(kProxies), std::end(kProxies), is_name));
}

}  // namespace

std::vector<std::string> ChildEnvironment(const SandboxPolicy& policy) {
  std::vector<std::string> child;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const absl::string_view line(*entry);
    const absl::string_view name = line.substr(0, line.find('='));
    if (!policy.enabled || Passes(name, policy.network)) child.emplace_back(line);
  }
  if (policy.enabled && !policy.scratch.empty()) {
    child.push_back(absl::StrCat("TMPDIR=", policy.scratch));
  }
  return child;
}

}  // namespace tidemark
