//===- Random.h - The scheduler's random numbers ----------------*- C++ -*-===//

#ifndef SPARSEATTN_EMULATOR_RUNTIME_RANDOM_H
#define SPARSEATTN_EMULATOR_RUNTIME_RANDOM_H

#include <cstdint>

namespace mlir::sparse_attn::emulator {

/// splitmix64: the same numbers everywhere, a few instructions each.
class Random {
public:
  explicit Random(uint64_t seed = 0) : state(seed) {}

  uint64_t next() {
    uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, bound), for bounds far below 2^32.
  uint32_t below(uint32_t bound) {
    return static_cast<uint32_t>(((next() >> 32) * bound) >> 32);
  }

private:
  uint64_t state;
};

} // namespace mlir::sparse_attn::emulator

#endif // SPARSEATTN_EMULATOR_RUNTIME_RANDOM_H
