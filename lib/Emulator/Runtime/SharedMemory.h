//===- SharedMemory.h - A block's shared memory, checked --------*- C++ -*-===//
//
// The memory starts as NaN (all bits set) and every word of it has a shadow:
// which bytes were written, which are targets of copies in flight, the last
// write, and the reads since then that are not ordered among each other.
// Where an mbarrier lies, only its own operations may touch the memory. They
// are seen as atomic reads, its initialisation and invalidation as writes.
//
// Words are exact for accesses of whole words. Of writes to different parts of
// one word only the last is kept, so a race may be missed there, never
// invented.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_EMULATOR_RUNTIME_SHAREDMEMORY_H
#define SPARSEATTN_EMULATOR_RUNTIME_SHAREDMEMORY_H

#include "Access.h"
#include <vector>

namespace mlir::sparse_attn::emulator {

class SharedMemory {
public:
  /// The most that any GPU gives a block.
  static constexpr int64_t kMaxBytes = 232448;

  SharedMemory();
  ~SharedMemory();
  SharedMemory(const SharedMemory &) = delete;
  SharedMemory &operator=(const SharedMemory &) = delete;

  /// Places the variables of a kernel for blocks of that many threads. Returns
  /// their size together; the caller checks it.
  int64_t layOut(llvm::ArrayRef<SharedVariable> variables, int64_t dynamicBytes,
                 unsigned numThreads);

  /// A new block: forgets what was written.
  void reset();

  char *getVariable(unsigned index) const { return base + offsets[index]; }
  bool contains(const void *address) const {
    return address >= base && address < base + kReservedBytes;
  }

  /// Checks and records an access by a thread whose vector clock is `clocks`.
  Fault access(const void *address, uint32_t bytes, uint32_t alignment,
               const Access &access, const uint32_t *clocks);
  /// The same for a copy into shared memory that lands later.
  Fault beginCopy(const void *address, uint32_t bytes, const Access &access,
                  const uint32_t *clocks);
  void endCopy(const void *address, uint32_t bytes, const Access &access);

  // The same for operations on an mbarrier, which has 8 bytes.
  Fault initBarrier(const void *address, const Access &access,
                    const uint32_t *clocks);
  Fault useBarrier(const void *address, const Access &access,
                   const uint32_t *clocks);
  Fault invalidateBarrier(const void *address, const Access &access,
                          const uint32_t *clocks);
  uint64_t offsetOf(const void *address) const {
    return static_cast<const char *>(address) - base;
  }

  /// More about the last fault.
  const Finding &getFinding() const { return finding; }

private:
  struct Word {
    Access writer;
    uint8_t written = 0;
    uint8_t inFlight = 0;
    uint8_t numReaders = 0;
    bool isVariable = false;
    bool isBarrier = false;
    uint32_t dense = 0; ///< index + 1 of a clock for each thread
  };

  static constexpr size_t kReservedBytes = 1 << 20;

  Fault locate(const void *address, uint32_t bytes, uint32_t alignment,
               uint64_t &first);
  template <typename Function>
  Fault forEachWord(uint64_t first, uint32_t bytes, Function function);
  template <typename Function>
  Fault forEachBarrierWord(const void *address, const Access &access,
                           Function function);
  Fault report(Fault fault, uint64_t offset, const Access &other);
  Fault reportWord(Fault fault, uint64_t word, const Access &other) {
    return report(fault, word * kWordBytes, other);
  }
  Fault checkWrite(uint64_t word, const Access &access, const uint32_t *clocks);
  void write(uint64_t word, const Access &access);
  Fault checkRead(uint64_t word, const Access &access, const uint32_t *clocks);
  void addReader(uint64_t word, const Access &access, const uint32_t *clocks);
  void addDenseReader(uint64_t word, const Access &access);
  void removeReaders(uint64_t word, uint8_t bytes);
  const Access *findUnorderedReader(uint64_t word, const Access &access,
                                    const uint32_t *clocks);
  Access *getReaders(uint64_t word) { return &readers[word * maxReaders]; }

  char *base;
  uint64_t usedBytes = 0;
  unsigned numThreads = 0;
  /// Unordered readers that a word remembers one by one: the lanes that give
  /// ldmatrix an address are one in each warp.
  unsigned maxReaders = 0;
  std::vector<uint64_t> offsets;
  std::vector<std::pair<uint64_t, uint64_t>> extents; ///< begin, end
  std::vector<bool> isVariable;
  std::vector<Word> words;
  std::vector<Access> readers;
  std::vector<uint32_t> denseClocks;
  Access denseReader; ///< the last found in denseClocks
  Finding finding;
};

} // namespace mlir::sparse_attn::emulator

#endif // SPARSEATTN_EMULATOR_RUNTIME_SHAREDMEMORY_H
