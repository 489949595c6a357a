//===- Entry.cpp - What compiled code calls -------------------------------===//

#include "Session.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::emulator;

static Block &block() { return *Session::get().block; }

void sparse_attn_emu_launch(const KernelDescriptor *kernel, int64_t gridX,
                            int64_t gridY, int64_t gridZ, int64_t blockX,
                            int64_t blockY, int64_t blockZ,
                            int64_t dynamicSharedBytes, void *arguments) {
  // More than fits is refused as it is.
  auto narrow = [](int64_t x) {
    return static_cast<uint32_t>(std::min<int64_t>(x, UINT32_MAX));
  };
  Launch launch{kernel,
                {narrow(gridX), narrow(gridY), narrow(gridZ)},
                {narrow(blockX), narrow(blockY), narrow(blockZ)},
                narrow(blockX * blockY * blockZ),
                narrow(dynamicSharedBytes),
                arguments};
  Session::get().launch(launch);
}

void sparse_attn_emu_register(const void *begin, int64_t bytes) {
  registerAllocation(begin, bytes);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

void *sparse_attn_emu_shared(int32_t variable) {
  return block().getShared().getVariable(variable);
}

void sparse_attn_emu_access_shared(const void *address, int32_t bytes,
                                   int32_t alignment, int32_t mode,
                                   int32_t operation) {
  block().accessShared(address, bytes, alignment, mode, operation);
}

void sparse_attn_emu_access_global(const void *address, int32_t bytes,
                                   int32_t alignment, int32_t mode,
                                   int32_t operation) {
  block().accessGlobal(address, bytes, alignment, mode, operation);
}

void sparse_attn_emu_access_generic(const void *address, int32_t bytes,
                                    int32_t alignment, int32_t mode,
                                    int32_t operation) {
  block().accessGeneric(address, bytes, alignment, mode, operation);
}

void sparse_attn_emu_fence(int32_t operation) { block().fence(); }

void sparse_attn_emu_atomic_order(const void *address, int32_t store,
                                  int32_t load, int32_t operation) {
  block().orderAtomic(address, static_cast<MemoryOrder>(store),
                      static_cast<MemoryOrder>(load));
}

void sparse_attn_emu_cp_async(void *target, const void *source, int32_t bytes,
                              int32_t sourceBytes, int32_t operation) {
  block().startCopy(target, source, bytes, sourceBytes, operation);
}

void sparse_attn_emu_cp_async_commit(void) { block().commitCopies(); }

void sparse_attn_emu_cp_async_wait(int32_t newest) {
  block().waitForCopies(newest);
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

void sparse_attn_emu_barrier(int32_t id, int32_t threads, int32_t operation) {
  block().arriveAtBarrier(id, threads, operation, /*waits=*/true);
}

int32_t sparse_attn_emu_barrier_reduce(int32_t kind, int32_t id,
                                       int32_t threads, int32_t predicate,
                                       int32_t operation) {
  BarrierArrival votes = block().arriveAtBarrier(
      id, threads, operation, /*waits=*/true, predicate != 0);
  switch (static_cast<BarrierReduction>(kind)) {
  case BarrierReduction::Count:
    return static_cast<int32_t>(votes.numInFavour);
  case BarrierReduction::And:
    return votes.numInFavour == votes.numVoters;
  case BarrierReduction::Or:
    return votes.numInFavour != 0;
  }
  return 0;
}

void sparse_attn_emu_barrier_arrive(int32_t id, int32_t threads,
                                    int32_t operation) {
  block().arriveAtBarrier(id, threads, operation, /*waits=*/false);
}

void sparse_attn_emu_mbarrier_init(const void *address, int32_t count,
                                   int32_t operation) {
  block().initMBarrier(address, count, operation);
}

void sparse_attn_emu_mbarrier_invalidate(const void *address,
                                         int32_t operation) {
  block().invalidateMBarrier(address, operation);
}

int64_t sparse_attn_emu_mbarrier_arrive(const void *address, int32_t count,
                                        int32_t mayComplete,
                                        int32_t operation) {
  return static_cast<int64_t>(
      block().arriveAtMBarrier(address, count, mayComplete != 0, operation));
}

void sparse_attn_emu_mbarrier_arrive_with_copies(const void *address,
                                                 int32_t isCounted,
                                                 int32_t operation) {
  block().arriveWithCopies(address, isCounted != 0, operation);
}

int32_t sparse_attn_emu_mbarrier_test(const void *address, int64_t state,
                                      int32_t operation) {
  return block().testMBarrier(address, PhaseName::State,
                              static_cast<uint64_t>(state), /*waits=*/false,
                              operation);
}

int32_t sparse_attn_emu_mbarrier_test_parity(const void *address,
                                             int32_t parity, int32_t waits,
                                             int32_t operation) {
  return block().testMBarrier(address, PhaseName::Parity,
                              static_cast<uint64_t>(parity), waits != 0,
                              operation);
}

void sparse_attn_emu_yield(void) { block().yield(); }

int32_t sparse_attn_emu_special_register(int32_t which) {
  Block &running = block();
  const Thread &thread = running.getCurrent();
  const Launch &launch = running.getLaunch();
  auto kind = static_cast<SpecialRegister>(which);
  auto dimension = [&](SpecialRegister x) {
    return which - static_cast<int32_t>(x);
  };
  if (kind <= SpecialRegister::TidZ)
    return thread.position[dimension(SpecialRegister::TidX)];
  if (kind <= SpecialRegister::NtidZ)
    return launch.block[dimension(SpecialRegister::NtidX)];
  if (kind <= SpecialRegister::CtaidZ)
    return running.getPosition()[dimension(SpecialRegister::CtaidX)];
  if (kind <= SpecialRegister::NctaidZ)
    return launch.grid[dimension(SpecialRegister::NctaidX)];
  switch (kind) {
  case SpecialRegister::LaneId:
    return thread.lane;
  case SpecialRegister::WarpId:
    return thread.index / kWarpSize;
  case SpecialRegister::NumWarps:
    return (launch.numThreads + kWarpSize - 1) / kWarpSize;
  case SpecialRegister::LaneMaskEq:
    return thread.laneBit();
  case SpecialRegister::LaneMaskLt:
    return thread.laneBit() - 1;
  case SpecialRegister::LaneMaskLe:
    return thread.laneBit() | (thread.laneBit() - 1);
  case SpecialRegister::LaneMaskGt:
    return ~(thread.laneBit() | (thread.laneBit() - 1));
  case SpecialRegister::LaneMaskGe:
    return ~(thread.laneBit() - 1);
  default:
    return launch.dynamicSharedBytes;
  }
}

//===----------------------------------------------------------------------===//
// Allocation by the host code
//===----------------------------------------------------------------------===//

static void *allocateAligned(size_t alignment, size_t bytes) {
  return Session::get().allocate(bytes, alignment);
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

template <typename Function> static void *toAddress(Function *function) {
  return reinterpret_cast<void *>(function);
}

#define SYMBOL(name) {#name, toAddress(name)}

llvm::ArrayRef<Symbol> emulator::getSymbols() {
  static const Symbol symbols[] = {
      {"malloc", toAddress(emulator::allocate)},
      {"aligned_alloc", toAddress(allocateAligned)},
      {"free", toAddress(emulator::deallocate)},
      SYMBOL(sparse_attn_emu_launch),
      SYMBOL(sparse_attn_emu_register),
      SYMBOL(sparse_attn_emu_shared),
      SYMBOL(sparse_attn_emu_access_shared),
      SYMBOL(sparse_attn_emu_access_global),
      SYMBOL(sparse_attn_emu_access_generic),
      SYMBOL(sparse_attn_emu_fence),
      SYMBOL(sparse_attn_emu_atomic_order),
      SYMBOL(sparse_attn_emu_cp_async),
      SYMBOL(sparse_attn_emu_cp_async_commit),
      SYMBOL(sparse_attn_emu_cp_async_wait),
      SYMBOL(sparse_attn_emu_barrier),
      SYMBOL(sparse_attn_emu_barrier_reduce),
      SYMBOL(sparse_attn_emu_barrier_arrive),
      SYMBOL(sparse_attn_emu_mbarrier_init),
      SYMBOL(sparse_attn_emu_mbarrier_invalidate),
      SYMBOL(sparse_attn_emu_mbarrier_arrive),
      SYMBOL(sparse_attn_emu_mbarrier_arrive_with_copies),
      SYMBOL(sparse_attn_emu_mbarrier_test),
      SYMBOL(sparse_attn_emu_mbarrier_test_parity),
      SYMBOL(sparse_attn_emu_warp_sync),
      SYMBOL(sparse_attn_emu_shuffle),
      SYMBOL(sparse_attn_emu_vote),
      SYMBOL(sparse_attn_emu_reduce),
      SYMBOL(sparse_attn_emu_elect),
      SYMBOL(sparse_attn_emu_ldmatrix),
      SYMBOL(sparse_attn_emu_stmatrix),
      SYMBOL(sparse_attn_emu_mma),
      SYMBOL(sparse_attn_emu_yield),
      SYMBOL(sparse_attn_emu_special_register),
      SYMBOL(sparse_attn_emu_ex2),
      SYMBOL(sparse_attn_emu_ex2_ftz),
      SYMBOL(sparse_attn_emu_lg2_ftz),
      SYMBOL(sparse_attn_emu_rcp_ftz),
      SYMBOL(sparse_attn_emu_pack_f16),
      SYMBOL(sparse_attn_emu_pack_bf16),
      SYMBOL(sparse_attn_emu_pack_bf16_rz),
      SYMBOL(sparse_attn_emu_to_tf32),
      SYMBOL(sparse_attn_emu_permute),
  };
  return symbols;
}
