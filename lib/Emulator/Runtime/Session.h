//===- Session.h - State of the emulator between launches -------*- C++ -*-===//

#ifndef SPARSEATTN_EMULATOR_RUNTIME_SESSION_H
#define SPARSEATTN_EMULATOR_RUNTIME_SESSION_H

#include "Allocator.h"
#include "Block.h"

namespace mlir::sparse_attn::emulator {

class Session {
public:
  static Session &get();

  void start(uint64_t seed);
  void launch(const Launch &launch);
  void *allocate(size_t bytes, size_t alignment);
  void deallocate(void *memory);

  GlobalMemory global;
  std::string report;
  /// Multiply-adds of mma.sync.
  uint64_t multiplyAdds = 0;
  /// The block that runs; null outside of launches.
  Block *block = nullptr;

private:
  std::string checkLaunch(const Launch &launch);

  Allocator allocator;
  SharedMemory shared;
  std::vector<Stack> stacks;
  uint64_t seed = 0;
  Random random;
};

} // namespace mlir::sparse_attn::emulator

#endif // SPARSEATTN_EMULATOR_RUNTIME_SESSION_H
