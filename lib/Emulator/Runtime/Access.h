//===- Access.h - Who touched a word, and in what order ---------*- C++ -*-===//
//
// The race detector. Each thread t has a vector clock C_t; C_t[t] counts its
// releases, C_t[u] is the last release of u that t has synchronised with. An
// access by u at its time c happened before what t does now iff c <= C_t[u].
// Two accesses of which one writes race if neither happened before the other.
//
// Copies that an mbarrier tracks are by nobody: each mbarrier has an entry of
// its own in all clocks, behind those of the threads, which counts the phases
// that copies landed in. A thread knows of them once it has waited for the
// phase, whoever started the copy.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_EMULATOR_RUNTIME_ACCESS_H
#define SPARSEATTN_EMULATOR_RUNTIME_ACCESS_H

#include "SparseAttn/Emulator/Runtime.h"
#include <algorithm>
#include <cstdint>

namespace mlir::sparse_attn::emulator {

/// What shadow memory is kept of: 4 bytes.
constexpr uint64_t kWordBytes = 4;

/// An access of some bytes of a word by a thread, at that thread's time.
struct Access {
  uint32_t clock = 0; ///< 0: there was none
  uint16_t thread = 0;
  uint8_t bytes = 0; ///< one bit a byte of the word
  uint8_t mode = 0;
  uint32_t operation = 0;

  bool isAtomic() const { return mode & kAtomic; }
  bool writes() const { return mode & kWrite; }
  bool happenedBefore(const uint32_t *clocks) const {
    return clock <= clocks[thread];
  }
};

/// The bytes of word `word` that [first, last) covers, one bit each.
inline uint8_t coveredBytes(uint64_t word, uint64_t first, uint64_t last) {
  uint64_t begin = word * kWordBytes;
  unsigned from = first > begin ? first - begin : 0;
  unsigned to = std::min(last - begin, kWordBytes);
  return ((1u << to) - 1) & ~((1u << from) - 1);
}

enum class Fault : uint8_t {
  None,
  OutOfBounds,
  Misaligned,
  Unwritten, ///< reads what nobody has written
  InFlight,  ///< touches the target of a copy that nobody has waited for
  Race,
  NoBarrier,    ///< takes for an mbarrier what is none
  HoldsBarrier, ///< loads from or stores to an mbarrier
  BarrierInUse, ///< initialises an mbarrier once more
};

/// An error of an access, with the access that it collides with.
struct Finding {
  Fault fault = Fault::None;
  Access other;
  uint32_t otherBlock = 0;
  /// Where: in the variable or allocation at or below the address, and its
  /// size.
  uint64_t offset = 0, extent = 0;
};

} // namespace mlir::sparse_attn::emulator

#endif // SPARSEATTN_EMULATOR_RUNTIME_ACCESS_H
