// Random bits, so that tests repeat what a seed once showed. Not for secrets.
#ifndef TIDEMARK_CORE_RANDOM_BITS_H_
#define TIDEMARK_CORE_RANDOM_BITS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace tidemark {

class RandomBits {
 public:
  virtual ~RandomBits() = default;

  // 64 uniform bits.
  virtual uint64_t Next() = 0;

  // Uniform in 0..limit-1; limit > 0.
  uint64_t Below(uint64_t limit);
  // Uniform in [0, 1), 53 bits.
  double Unit();
  // `bytes` bytes as lower-case hexadecimal: ids of syncs and commit groups.
  std::string Hex(size_t bytes);

  // The operating system's generator; thread-safe, lives for the whole process.
  static RandomBits& Real();
};

// A stream that the seed determines, the same on every machine (SplitMix64, Steele, Lea and Flood,
// "Fast Splittable Pseudorandom Number Generators", 2014). Confined to one thread.
std::unique_ptr<RandomBits> SeededBits(uint64_t seed);

}  // namespace tidemark

#endif  // TIDEMARK_CORE_RANDOM_BITS_H_
