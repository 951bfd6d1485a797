#include "tests/source/proc_scan.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tidemark {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// proc(5), /proc/pid/stat: pid (comm) state ppid pgrp session ...
struct Stat {
  pid_t pid = 0;
  char state = '?';
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
};

std::vector<Stat> AllProcesses() {
  std::vector<Stat> all;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      continue;
    }
    const std::string text = ReadAll(entry.path().string() + "/stat");
    const size_t end_of_name = text.rfind(')');
    if (end_of_name == std::string::npos) continue;  // it has just ended
    Stat stat;
    stat.pid = std::stoi(name);
    std::istringstream rest(text.substr(end_of_name + 1));
    rest >> stat.state >> stat.parent >> stat.group >> stat.session;
    all.push_back(stat);
  }
  return all;
}

}  // namespace

std::vector<pid_t> OwnChildren() {
  std::vector<pid_t> children;
  const pid_t self = std::stoi(ReadAll("/proc/self/stat"));
  for (const Stat& stat : AllProcesses()) {
    if (stat.parent == self) children.push_back(stat.pid);
  }
  return children;
}

std::vector<pid_t> SessionMembers(pid_t session) {
  std::vector<pid_t> members;
  for (const Stat& stat : AllProcesses()) {
    if (stat.session == session && stat.state != 'Z') members.push_back(stat.pid);
  }
  return members;
}

size_t OpenDescriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

size_t ThreadsNamed(const std::string& name) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    if (ReadAll(entry.path().string() + "/comm") == name + "\n") ++count;
  }
  return count;
}

}  // namespace tidemark
