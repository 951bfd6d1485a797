#include "tests/bench/row_stream.h"

#include <algorithm>

namespace tidemark {

RowStream::RowStream(const RowChoice& choice) : choice_(choice), maker_([this] { Make(); }) {}

RowStream::~RowStream() {
  {
    MutexLock lock(mutex_);
    stopped_ = true;
  }
  changed_.SignalAll();
  maker_.join();
}

const std::vector<generator_row>& RowStream::Next() {
  MutexLock lock(mutex_);
  if (reading_) {
    ++taken_;
    reading_ = false;
    changed_.SignalAll();
  }
  while (made_ == taken_ && !finished_) changed_.Wait(mutex_);
  if (made_ == taken_) return end_;
  reading_ = true;
  return blocks_[taken_ % kBlocks];
}

void RowStream::Make() {
  uint64_t block = 0;
  for (uint64_t position = 0; position < choice_.count; ++block) {
    {
      MutexLock lock(mutex_);
      while (block - taken_ >= kBlocks && !stopped_) changed_.Wait(mutex_);
      if (stopped_) return;
    }
    std::vector<generator_row>& rows = blocks_[block % kBlocks];
    rows.resize(std::min(kBlockRows, choice_.count - position));
    for (generator_row& row : rows) {
      const int64_t id = choice_.shuffled
                             ? generator_shuffled_id(choice_.seed, position, choice_.count)
                             : static_cast<int64_t>(position) + 1;
      generator_fill(choice_.seed, choice_.variant, id, &row);
      ++position;
    }
    MutexLock lock(mutex_);
    ++made_;
    changed_.SignalAll();
  }
  MutexLock lock(mutex_);
  finished_ = true;
  changed_.SignalAll();
}

}  // namespace tidemark
