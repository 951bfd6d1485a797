// The generator's rows, made on a thread of their own and handed over in blocks.
#ifndef TIDEMARK_TESTS_BENCH_ROW_STREAM_H_
#define TIDEMARK_TESTS_BENCH_ROW_STREAM_H_

#include <cstdint>
#include <thread>
#include <vector>

#include "core/mutex.h"
#include "generator/rows.h"

namespace tidemark {

// Which rows, in which order: the meaning of the generator's options of the same names.
struct RowChoice {
  uint64_t count = 0;
  uint64_t seed = 0;
  uint64_t variant = 0;
  bool shuffled = false;  // order of the keys
};

// Confined to the thread that made it, which is the reader. The maker is at most kBlocks blocks
// ahead. The destructor ends it.
class RowStream {
 public:
  explicit RowStream(const RowChoice& choice);
  ~RowStream();
  RowStream(const RowStream&) = delete;
  RowStream& operator=(const RowStream&) = delete;

  // The next block, valid until the next call; empty at the end.
  const std::vector<generator_row>& Next();

 private:
  static constexpr size_t kBlocks = 4;
  static constexpr uint64_t kBlockRows = 1000;

  void Make();  // the maker's thread

  const RowChoice choice_;
  std::vector<generator_row> blocks_[kBlocks];  // block n stands in n % kBlocks
  const std::vector<generator_row> end_;
  Mutex mutex_;
  CondVar changed_;
  uint64_t made_ ABSL_GUARDED_BY(mutex_) = 0;   // blocks made
  uint64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;  // blocks the reader is done with
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool reading_ = false;  // the reader holds block taken_
  std::thread maker_;     // the last member: it uses the others
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_BENCH_ROW_STREAM_H_
