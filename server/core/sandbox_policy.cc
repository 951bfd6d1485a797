#include "core/sandbox_policy.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace tidemark {
namespace {

constexpr absl::string_view kOff = "--sandbox=off";
constexpr absl::string_view kNetwork = "--network";
constexpr absl::string_view kRead = "--read=";
constexpr absl::string_view kWrite = "--write=";
constexpr absl::string_view kScratch = "--scratch=";
constexpr absl::string_view kMemory = "--memory=";
constexpr absl::string_view kOpenFiles = "--open-files=";
constexpr absl::string_view kCapabilities = "--capabilities=";

// False: `argument` is none of the policy's.
bool Take(absl::string_view argument, SandboxPolicy* policy) {
  if (argument == kOff) {
    policy->enabled = false;
    return true;
  }
  if (argument == kNetwork) {
    policy->network = true;
    return true;
  }
  if (absl::ConsumePrefix(&argument, kRead)) {
    policy->read_paths.emplace_back(argument);
    return !argument.empty();
  }
  if (absl::ConsumePrefix(&argument, kWrite)) {
    policy->write_paths.emplace_back(argument);
    return !argument.empty();
  }
  if (absl::ConsumePrefix(&argument, kScratch)) {
    policy->scratch = std::string(argument);
    return !argument.empty();
  }
  if (absl::ConsumePrefix(&argument, kMemory)) {
    return absl::SimpleAtoi(argument, &policy->memory_bytes) && policy->memory_bytes > 0;
  }
  if (absl::ConsumePrefix(&argument, kOpenFiles)) {
    return absl::SimpleAtoi(argument, &policy->open_files) && policy->open_files > 0;
  }
  if (absl::ConsumePrefix(&argument, kCapabilities)) {
    return absl::SimpleAtoi(argument, &policy->capabilities.emplace());
  }
  return false;
}

}  // namespace

std::vector<std::string> SandboxArguments(const SandboxPolicy& policy) {
  std::vector<std::string> arguments;
  if (!policy.enabled) arguments.emplace_back(kOff);
  if (policy.network) arguments.emplace_back(kNetwork);
  for (const std::string& path : policy.read_paths) arguments.push_back(absl::StrCat(kRead, path));
  for (const std::string& path : policy.write_paths) {
    arguments.push_back(absl::StrCat(kWrite, path));
  }
  if (!policy.scratch.empty()) arguments.push_back(absl::StrCat(kScratch, policy.scratch));
  arguments.push_back(absl::StrCat(kMemory, policy.memory_bytes));
  arguments.push_back(absl::StrCat(kOpenFiles, policy.open_files));
  if (policy.capabilities.has_value()) {
    arguments.push_back(absl::StrCat(kCapabilities, *policy.capabilities));
  }
  return arguments;
}

absl::StatusOr<SandboxPolicy> ParseSandboxArguments(absl::Span<const std::string> arguments) {
  SandboxPolicy policy;
  for (const std::string& argument : arguments) {
    if (Take(argument, &policy)) continue;
    return absl::InvalidArgumentError(absl::StrCat("\"", argument, "\" is no argument"));
  }
  return policy;
}

}  // namespace tidemark
