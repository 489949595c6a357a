//===- Runtime.h - Runs lowered GPU kernels on the CPU ----------*- C++ -*-===//
//
// What code rewritten by --sparse-attn-emulate calls. A GPU thread is a fiber,
// the blocks of a grid run one after another, everything in one OS thread. The
// seed of a session decides the order of blocks and when which fiber runs, so
// a seed replays its run exactly.
//
// The first error (a race, a read of memory that was never written, an access
// out of bounds, a deadlock, ...) ends the launch; later launches of the
// session do nothing.
//
// There is one session at a time and it belongs to one OS thread.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_EMULATOR_RUNTIME_H
#define SPARSEATTN_EMULATOR_RUNTIME_H

#include "llvm/ADT/ArrayRef.h"
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace mlir::sparse_attn::emulator {

/// Forgets allocations and reports, and seeds the scheduler.
void startSession(uint64_t seed);

/// Global memory that kernels may access: every other address is an error.
void registerAllocation(const void *begin, size_t bytes);

/// Memory that is no longer the kernels'.
void unregisterAllocation(const void *begin);

/// A new, registered allocation, filled with NaN. It is far from any other, so
/// that an access beyond its end does not hit another by chance, and aligned to
/// 16 bytes and no more. The next session frees what is left.
void *allocate(size_t bytes);
void deallocate(void *memory);

/// Multiply-adds of tensor cores (mma.sync) since the session started.
uint64_t getMultiplyAdds();

/// What went wrong since the session started, if anything did.
std::optional<std::string> getReport();

/// A name that rewritten code calls, for the linker of that code.
struct Symbol {
  const char *name;
  void *address;
};
llvm::ArrayRef<Symbol> getSymbols();

/// A variable in shared memory, as a kernel declares it. Dynamic shared memory
/// has no size of its own: it takes what the launch gives.
struct SharedVariable {
  static constexpr int64_t kDynamic = 0;
  static constexpr int64_t kUnused = -1;
  int64_t bytes;
  int64_t alignment;
};

/// What a launch needs to know of a kernel.
struct KernelDescriptor {
  const char *name;
  /// Called once a thread, with the launch's arguments.
  void (*entry)(void *arguments);
  /// Texts of the source operations; calls into the runtime name theirs by its
  /// offset.
  const char *operations;
  const SharedVariable *shared;
  int64_t numShared;
  /// Largest number of threads of a block; 0 for any.
  int64_t maxThreads;
};

/// A variable in global or constant memory.
struct GlobalVariable {
  const void *address;
  int64_t bytes;
};

/// What --sparse-attn-emulate=export-kernels leaves under kKernelModule, for
/// launches by name.
struct KernelModule {
  const KernelDescriptor *const *kernels;
  int64_t numKernels;
  const GlobalVariable *variables;
  int64_t numVariables;
};
constexpr const char kKernelModule[] = "sparse_attn_emu_module";

/// Bits of the `mode` of an access.
enum AccessMode : uint32_t { kRead = 1, kWrite = 2, kAtomic = 4 };

/// What an atomic access orders, seen as a store (a release) or as a load (an
/// acquire).
enum class MemoryOrder : uint32_t { NoAccess, Relaxed, Ordered };

enum class SpecialRegister : uint32_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpId,
  NumWarps,
  LaneMaskEq,
  LaneMaskLt,
  LaneMaskLe,
  LaneMaskGt,
  LaneMaskGe,
  DynamicSharedBytes,
};

enum class ShuffleKind : uint32_t { Butterfly, Up, Down, Index };
/// What a barrier makes of its threads' predicates.
enum class BarrierReduction : uint32_t { Count, And, Or };
enum class VoteKind : uint32_t { Any, All, Ballot, Uniform };
enum class ReduceKind : uint32_t { Add, And, Max, Min, Or, UMax, UMin, Xor };

/// Shapes and element types of mma.sync that are known.
enum class MmaKind : uint32_t {
  F16K8,
  F16K16,
  BF16K8,
  BF16K16,
  TF32K4,
  TF32K8,
};

/// A lane's registers of one mma.sync: D may be C. f16 and bf16 are packed in
/// pairs, the lower column (of A) or row (of B) in the lower half.
struct MmaRegisters {
  uint32_t a[4];
  uint32_t b[2];
  float c[4];
  float d[4];
};

} // namespace mlir::sparse_attn::emulator

/// The interface of compiled code. `operation` is the source operation's
/// offset in KernelDescriptor::operations.
// C names with a prefix, as they share a name space with everything linked.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {
void sparse_attn_emu_launch(
    const mlir::sparse_attn::emulator::KernelDescriptor *kernel, int64_t gridX,
    int64_t gridY, int64_t gridZ, int64_t blockX, int64_t blockY,
    int64_t blockZ, int64_t dynamicSharedBytes, void *arguments);
void sparse_attn_emu_register(const void *begin, int64_t bytes);

// Memory. An access is checked before it happens; copies belong to the caller.
void *sparse_attn_emu_shared(int32_t variable);
void sparse_attn_emu_access_shared(const void *address, int32_t bytes,
                                   int32_t alignment, int32_t mode,
                                   int32_t operation);
void sparse_attn_emu_access_global(const void *address, int32_t bytes,
                                   int32_t alignment, int32_t mode,
                                   int32_t operation);
void sparse_attn_emu_access_generic(const void *address, int32_t bytes,
                                    int32_t alignment, int32_t mode,
                                    int32_t operation);
void sparse_attn_emu_fence(int32_t operation);
/// The memory order of an atomic access that is about to happen, as a store and
/// as a load.
void sparse_attn_emu_atomic_order(const void *address, int32_t store,
                                  int32_t load, int32_t operation);

// Asynchronous copies from global to shared memory.
void sparse_attn_emu_cp_async(void *target, const void *source, int32_t bytes,
                              int32_t sourceBytes, int32_t operation);
void sparse_attn_emu_cp_async_commit(void);
/// `newest` groups may stay in flight; -1 also waits for what is in no group.
void sparse_attn_emu_cp_async_wait(int32_t newest);

// Synchronisation of the block. `threads` 0: all.
void sparse_attn_emu_barrier(int32_t id, int32_t threads, int32_t operation);
int32_t sparse_attn_emu_barrier_reduce(int32_t kind, int32_t id,
                                       int32_t threads, int32_t predicate,
                                       int32_t operation);
void sparse_attn_emu_barrier_arrive(int32_t id, int32_t threads,
                                    int32_t operation);

// Barrier objects in shared memory.
void sparse_attn_emu_mbarrier_init(const void *address, int32_t count,
                                   int32_t operation);
void sparse_attn_emu_mbarrier_invalidate(const void *address,
                                         int32_t operation);
/// The state before.
int64_t sparse_attn_emu_mbarrier_arrive(const void *address, int32_t count,
                                        int32_t mayComplete, int32_t operation);
/// Arrives when the copies have ended that the thread has started. An arrival
/// that is not counted comes on top of those that the barrier expects.
void sparse_attn_emu_mbarrier_arrive_with_copies(const void *address,
                                                 int32_t isCounted,
                                                 int32_t operation);
/// Whether the phase of a state has completed.
int32_t sparse_attn_emu_mbarrier_test(const void *address, int64_t state,
                                      int32_t operation);
/// Whether the phase of a parity has; `waits` until it has.
int32_t sparse_attn_emu_mbarrier_test_parity(const void *address,
                                             int32_t parity, int32_t waits,
                                             int32_t operation);

// Warps.
void sparse_attn_emu_warp_sync(int32_t mask, int32_t operation);
/// The value in the lower, its validity in bit 32.
int64_t sparse_attn_emu_shuffle(int32_t kind, int32_t mask, int32_t value,
                                int32_t offset, int32_t maskAndClamp,
                                int32_t operation);
int32_t sparse_attn_emu_vote(int32_t kind, int32_t mask, int32_t predicate,
                             int32_t operation);
int32_t sparse_attn_emu_reduce(int32_t kind, int32_t mask, int32_t value,
                               int32_t operation);
int32_t sparse_attn_emu_elect(int32_t mask, int32_t operation);
void sparse_attn_emu_ldmatrix(const void *row, uint32_t *result,
                              int32_t matrices, int32_t transposed,
                              int32_t operation);
void sparse_attn_emu_stmatrix(void *row, const uint32_t *values,
                              int32_t matrices, int32_t transposed,
                              int32_t operation);
void sparse_attn_emu_mma(mlir::sparse_attn::emulator::MmaRegisters *registers,
                         int32_t kind, int32_t operation);
void sparse_attn_emu_yield(void);

// Registers and arithmetic.
int32_t sparse_attn_emu_special_register(int32_t which);
float sparse_attn_emu_ex2(float x);
float sparse_attn_emu_ex2_ftz(float x);
float sparse_attn_emu_lg2_ftz(float x);
float sparse_attn_emu_rcp_ftz(float x);
/// Two floats rounded to nearest even, `high` in the upper half.
int32_t sparse_attn_emu_pack_f16(float high, float low);
int32_t sparse_attn_emu_pack_bf16(float high, float low);
/// The same rounded towards zero.
int32_t sparse_attn_emu_pack_bf16_rz(float high, float low);
/// Rounded to 10 fraction bits, ties away from zero.
int32_t sparse_attn_emu_to_tf32(float x);
int32_t sparse_attn_emu_permute(int32_t low, int32_t high, int32_t selector);
} // extern "C"
// NOLINTEND(readability-identifier-naming)

#endif // SPARSEATTN_EMULATOR_RUNTIME_H
