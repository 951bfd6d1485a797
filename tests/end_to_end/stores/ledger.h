// The source's own log of what it sent and what was acknowledged: the oracle of the kill tests.
// plugins/generator writes it with fsync (option ledger_file).
#ifndef TIDEMARK_TESTS_END_TO_END_STORES_LEDGER_H_
#define TIDEMARK_TESTS_END_TO_END_STORES_LEDGER_H_

#include <cstdint>
#include <map>
#include <string>

namespace tidemark::test {

// One run's log. Cursors count rows: everything before the cursor has been emitted.
class Ledger {
 public:
  explicit Ledger(std::string path) : path_(std::move(path)) {}

  // Reads the lines that have been added. A torn last line is left for the next call.
  void Refresh();

  // The cursor of the last checkpoint sent; -1: none.
  int64_t sent() const { return sent_; }
  // The cursor that the last acknowledgement made durable; -1: none.
  int64_t durable() const { return durable_; }

 private:
  std::string path_;
  size_t offset_ = 0;
  std::map<uint64_t, int64_t> cursors_;  // by checkpoint id
  int64_t sent_ = -1;
  int64_t durable_ = -1;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_END_TO_END_STORES_LEDGER_H_
