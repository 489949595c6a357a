//===- GlobalMemory.h - Registered allocations, checked ---------*- C++ -*-===//
//
// Every 4-byte word of an allocation has a shadow: the last write of the
// current launch and the last reads of two different blocks. That finds every
// conflict between blocks (one of two reading blocks is not the writing one),
// and within a block those with the last read. Shadow pages appear when they
// are touched.
//
// Blocks of one launch are ordered only through atomic accesses: a release that
// another block's acquire of the same address has seen.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_EMULATOR_RUNTIME_GLOBALMEMORY_H
#define SPARSEATTN_EMULATOR_RUNTIME_GLOBALMEMORY_H

#include "Access.h"
#include <map>
#include <memory>
#include <vector>

namespace mlir::sparse_attn::emulator {

/// What a thread had seen when it released: its vector clock, and through its
/// own acquires what other blocks had released.
struct Release {
  uint32_t block;
  std::vector<uint32_t> clocks;
  std::vector<std::shared_ptr<const Release>> before;
};

/// A release that a thread of the running block acquired at its time `clock`.
struct Acquire {
  std::shared_ptr<const Release> release;
  uint16_t thread;
  uint32_t clock;
};

/// Where the accesses of the running block stand among those of the launch.
struct BlockOrder {
  uint32_t block = 0;
  std::vector<Acquire> acquires;

  /// Whether an access of another block happened before what a thread with
  /// these clocks does now.
  bool happenedBefore(uint32_t otherBlock, const Access &other,
                      const uint32_t *clocks) const;
};

class GlobalMemory {
public:
  GlobalMemory() = default;
  ~GlobalMemory();
  GlobalMemory(const GlobalMemory &) = delete;
  GlobalMemory &operator=(const GlobalMemory &) = delete;

  void add(const void *begin, uint64_t bytes);
  void remove(const void *begin);
  void clear();

  /// A new launch: everything before it happened before it.
  void reset();

  bool contains(const void *address) { return find(address) != nullptr; }

  Fault access(const void *address, uint32_t bytes, uint32_t alignment,
               const Access &access, const BlockOrder &order,
               const uint32_t *clocks);

  const Finding &getFinding() const { return finding; }

  /// The releases at an address, in order.
  std::vector<std::shared_ptr<const Release>> &
  getReleases(const void *address) {
    return releases[address];
  }

private:
  struct BlockAccess : Access {
    uint32_t block = 0;
  };
  struct Word {
    BlockAccess writer;
    BlockAccess readers[2];
  };
  struct Allocation {
    const char *begin;
    uint64_t bytes;
    Word *words;
    size_t shadowBytes;
  };

  Allocation *find(const void *address);
  Fault report(Fault fault, const void *address, const BlockAccess &other);
  Fault accessWord(Word &word, const void *address, const BlockAccess &access,
                   const BlockOrder &order, const uint32_t *clocks);

  std::vector<Allocation> allocations; ///< sorted by address
  size_t lastFound = 0;
  std::map<const void *, std::vector<std::shared_ptr<const Release>>> releases;
  Finding finding;
};

} // namespace mlir::sparse_attn::emulator

#endif // SPARSEATTN_EMULATOR_RUNTIME_GLOBALMEMORY_H
