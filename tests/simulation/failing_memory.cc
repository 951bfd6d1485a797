#include "tests/simulation/failing_memory.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace tidemark {
namespace {

std::atomic<int64_t> live{0};
std::atomic<uint64_t> count{0};
std::atomic<uint64_t> fail_at{0};  // 0: never
std::atomic<bool> stays_failing{false};
std::atomic<bool> failed{false};

void* Allocate(size_t size, size_t alignment) {
  const uint64_t number = count.fetch_add(1, std::memory_order_relaxed) + 1;
  const uint64_t at = fail_at.load(std::memory_order_relaxed);
  if (at != 0 && (number == at || (number > at && stays_failing))) {
    failed = true;
    throw std::bad_alloc();
  }
  const size_t whole = size == 0 ? 1 : size;
  void* const made =
      alignment <= alignof(std::max_align_t)
          ? std::malloc(whole)
          : std::aligned_alloc(alignment, (whole + alignment - 1) / alignment * alignment);
  if (made == nullptr) throw std::bad_alloc();
  live.fetch_add(1, std::memory_order_relaxed);
  return made;
}

void Free(void* piece) {
  if (piece == nullptr) return;
  live.fetch_sub(1, std::memory_order_relaxed);
  std::free(piece);
}

}  // namespace

void ArmMemory(uint64_t n, bool stays) {
  failed = false;
  stays_failing = stays;
  count = 0;
  fail_at = n;
}
bool DisarmMemory() {
  fail_at = 0;
  return failed;
}
uint64_t Allocations() { return count; }
int64_t LivePieces() { return live; }

}  // namespace tidemark

// NOLINTBEGIN: the replaceable functions of [new.delete]; the other forms call these.
void* operator new(std::size_t size) { return tidemark::Allocate(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return tidemark::Allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* piece) noexcept { tidemark::Free(piece); }
void operator delete(void* piece, std::size_t) noexcept { tidemark::Free(piece); }
void operator delete(void* piece, std::align_val_t) noexcept { tidemark::Free(piece); }
void operator delete(void* piece, std::size_t, std::align_val_t) noexcept { tidemark::Free(piece); }
// NOLINTEND
