#include "tests/end_to_end/stores/ledger.h"

#include <fstream>
#include <sstream>

namespace tidemark::test {

void Ledger::Refresh() {
  std::ifstream file(path_, std::ios::binary);
  if (!file) return;
  file.seekg(static_cast<std::streamoff>(offset_));
  std::stringstream added;
  added << file.rdbuf();
  const std::string text = added.str();
  size_t start = 0;
  for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
    std::istringstream line(text.substr(start, end - start));
    std::string word;
    uint64_t id = 0;
    int64_t cursor = 0;
    line >> word >> id;
    if (word == "start") {
      cursors_.clear();  // another instance: its checkpoint ids begin again
    } else if (word == "sent" && line >> cursor) {
      cursors_[id] = cursor;
      sent_ = cursor;
    } else if (word == "durable" && cursors_.count(id) != 0) {
      durable_ = cursors_[id];
    }
    start = end + 1;
  }
  offset_ += start;
}

}  // namespace tidemark::test
