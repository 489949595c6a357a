//===- Block.h - The threads of a running block -----------------*- C++ -*-===//
//
// A scheduler of fibers. It switches at every operation that threads wait in
// and now and then at memory accesses, to a fiber drawn at random among those
// that can run.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_EMULATOR_RUNTIME_BLOCK_H
#define SPARSEATTN_EMULATOR_RUNTIME_BLOCK_H

#include "Fiber.h"
#include "GlobalMemory.h"
#include "Random.h"
#include "SharedMemory.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FormatVariadic.h"
#include <type_traits>

namespace mlir::sparse_attn::emulator {

constexpr unsigned kWarpSize = 32;
constexpr unsigned kMaxThreads = 1024;
constexpr unsigned kNumBarriers = 16;
/// Places in shared memory where a block may have an mbarrier, over its life.
constexpr unsigned kMaxMBarriers = 64;

struct Warp;

/// A copy to shared memory.
struct AsyncCopy {
  char *target;
  const char *source;
  uint32_t bytes;
  uint32_t sourceBytes; ///< the rest is filled with zeros
  uint32_t operation;
  uint32_t group;
  /// Who knows that it has landed: those whose clocks have `landedAt` at
  /// `landedFor`. 0 while it is in flight.
  uint16_t landedFor = 0;
  uint32_t landedAt = 0;

  bool isKnownTo(const uint32_t *clocks) const {
    return landedAt && landedAt <= clocks[landedFor];
  }
};
using AsyncCopies = std::vector<std::shared_ptr<AsyncCopy>>;

struct Thread {
  Fiber fiber;
  Warp *warp = nullptr;
  uint16_t index = 0;
  uint16_t lane = 0;
  uint32_t position[3] = {};
  /// One for each thread of the block, and behind those for each mbarrier.
  uint32_t *clocks = nullptr;
  /// What it waits in; null while it can run.
  const char *waitsIn = nullptr;
  uint32_t operation = 0;
  AsyncCopies copies;     ///< of which it does not know that they have landed
  uint32_t copyGroup = 0; ///< number of the group that is being filled
  /// What a relaxed atomic access releases: its state at the last fence.
  std::shared_ptr<const Release> fenced;
  /// What the next fence acquires.
  std::vector<std::shared_ptr<const Release>> observed;

  uint32_t laneBit() const { return 1u << lane; }
};

/// Operations that a warp performs together.
enum class Collective : uint8_t {
  WarpSync,
  Barrier,
  Shuffle,
  Vote,
  Reduce,
  Elect,
  LoadMatrix,
  StoreMatrix,
  Mma,
};

class Block;
struct Rendezvous;

/// Performs an operation for the lanes that have met.
using Perform = void (*)(Block &, Warp &, Rendezvous &);

/// Lanes that wait for one another in a collective operation.
struct Rendezvous {
  Collective kind;
  uint32_t operation;
  uint32_t mask;
  Perform perform;
  uint32_t arrived = 0;
  /// What each lane brought along; results go there too.
  void *operands[kWarpSize] = {};
};

struct Warp {
  llvm::SmallVector<Thread *, kWarpSize> lanes;
  uint32_t present = 0;
  uint32_t exited = 0;
  llvm::SmallVector<Rendezvous, 2> pending;
};

/// What a thread brings to a barrier, and what it learns there.
struct BarrierArrival {
  uint32_t id;
  uint32_t expected;
  bool waits;
  bool predicate;           ///< its vote, where the barrier reduces
  uint32_t phase = 0;       ///< set when its warp arrives
  uint32_t numVoters = 0;   ///< set when the barrier lets it go
  uint32_t numInFavour = 0; ///< likewise
};

struct Barrier {
  uint32_t phase = 0;
  uint32_t expected = 0; ///< threads; 0 for all
  uint32_t operation = 0;
  llvm::SmallVector<const Warp *, 8> warps;    ///< that have arrived
  llvm::SmallVector<Thread *, 0> participants; ///< that it lets go together
  /// The arrivals of the participants lie on the stacks of threads that wait.
  llvm::SmallVector<BarrierArrival *, 0> voters;
  llvm::SmallVector<Thread *, 0> waiting; ///< those who wait already
  std::vector<uint32_t> clocks; ///< joined over those who have arrived
};

/// An arrival at an mbarrier that happens when copies have ended.
struct AsyncArrival {
  const Thread *thread; ///< that has started the copies
  unsigned mbarrier;
  AsyncCopies copies;
};

/// A barrier object in shared memory.
struct MBarrier {
  uint64_t offset = 0; ///< in shared memory
  bool isValid = false;
  uint32_t expected = 0; ///< arrivals of a phase
  uint32_t pending = 0;  ///< of them, those of the current phase to come
  uint64_t phase = 0;
  uint32_t operation = 0; ///< that has initialised it
  AsyncCopies copies;     ///< that the current phase's arrivals wait for
  uint32_t landings = 0;  ///< phases that copies have landed in, ever
  /// Joined over the arrivals of the current phase, and of the one before.
  std::vector<uint32_t> clocks, completed;
  llvm::SmallVector<Thread *, 0> waiting;
};

/// How a wait at an mbarrier names a phase: by what an arrival has returned, or
/// by its lowest bit.
enum class PhaseName : uint8_t { State, Parity };

/// A launch, as the blocks see it.
struct Launch {
  const KernelDescriptor *kernel = nullptr;
  uint32_t grid[3] = {};
  uint32_t block[3] = {};
  uint32_t numThreads = 0;
  uint32_t dynamicSharedBytes = 0;
  void *arguments = nullptr;
};

class Block {
public:
  Block(const Launch &launch, GlobalMemory &global, SharedMemory &shared,
        std::vector<Stack> &stacks, Random &random);

  /// Runs one block of the grid to its end, or to the first error, which it
  /// returns; empty if there was none.
  std::string run(uint32_t block);

  // What threads do. Each acts for the thread that runs, and does not return to
  // it after an error.
  void accessShared(const void *address, uint32_t bytes, uint32_t alignment,
                    uint32_t mode, uint32_t operation);
  void accessGlobal(const void *address, uint32_t bytes, uint32_t alignment,
                    uint32_t mode, uint32_t operation);
  void accessGeneric(const void *address, uint32_t bytes, uint32_t alignment,
                     uint32_t mode, uint32_t operation);
  void fence();
  void orderAtomic(const void *address, MemoryOrder store, MemoryOrder load);
  void startCopy(void *target, const void *source, uint32_t bytes,
                 uint32_t sourceBytes, uint32_t operation);
  void commitCopies() { ++current->copyGroup; }
  void initMBarrier(const void *address, int32_t count, uint32_t operation);
  void invalidateMBarrier(const void *address, uint32_t operation);
  /// Returns the state before: the current phase's number. `mayComplete`: the
  /// phase, by this arrival.
  uint64_t arriveAtMBarrier(const void *address, int32_t count,
                            bool mayComplete, uint32_t operation);
  /// Lets the copies that the thread has started arrive when they have ended.
  /// `isCounted`: the arrival is one of those that the mbarrier expects.
  void arriveWithCopies(const void *address, bool isCounted,
                        uint32_t operation);
  /// Whether that phase has completed; until it has where `waits`.
  bool testMBarrier(const void *address, PhaseName name, uint64_t phase,
                    bool waits, uint32_t operation);
  void waitForCopies(int32_t newest);
  BarrierArrival arriveAtBarrier(int32_t id, int32_t threads,
                                 uint32_t operation, bool waits,
                                 bool predicate = false);
  /// Waits for the lanes of `mask`; the last to arrive performs the operation
  /// for all of them.
  void meet(Collective kind, uint32_t mask, uint32_t operation, void *operands,
            Perform perform);
  /// The same for operations that need a whole warp.
  void meetAll(Collective kind, uint32_t operation, void *operands,
               Perform perform);
  void joinClocks(llvm::ArrayRef<Thread *> threads);
  /// Access by another lane than the one that runs.
  void accessShared(Thread &thread, const void *address, uint32_t bytes,
                    uint32_t alignment, uint32_t mode, uint32_t operation);
  /// Lets others run.
  void yield();

  Thread &getCurrent() { return *current; }
  const Launch &getLaunch() const { return launch; }
  const uint32_t *getPosition() const { return position; }
  SharedMemory &getShared() { return shared; }

  /// Ends the block with an error of `thread`, which `llvm::formatv` makes of
  /// `what` and `values`. The caller must own nothing: its frames are left
  /// behind.
  template <typename... Values>
  [[noreturn]] void fail(const Thread &thread, uint32_t operation,
                         const char *what, Values... values) {
    static_assert((std::is_trivially_destructible_v<Values> && ...),
                  "nobody frees what a frame that is left behind owns");
    setReport(thread, operation, llvm::formatv(what, values...));
    abandon();
  }

private:
  void startThreads();
  void switchSometimes();
  /// The same in an operation that brings nobody on.
  void yieldSometimes();
  void wait(const char *where, uint32_t operation);
  void wake(Thread &thread);
  void exit(Thread &thread);
  void release(Thread &thread);
  void complete(Warp &warp, Rendezvous *rendezvous);
  void leaveRendezvous(Thread &thread);
  void arrive(Warp &warp, const Rendezvous &rendezvous);
  void completeBarrier(Barrier &barrier);
  void completeBarriersWithoutExited();
  void setReport(const Thread &thread, uint32_t operation, std::string what);
  [[noreturn]] void abandon();
  void reportDeadlock();
  void reportFinding(const Thread &thread, const Finding &finding,
                     uint32_t bytes, uint32_t alignment, uint32_t mode,
                     uint32_t operation, bool isShared);
  void land(AsyncCopy &copy, uint16_t landedFor, uint32_t landedAt);
  void forgetKnownCopies(Thread &thread);
  void checkMBarrier(Fault fault, uint32_t mode, uint32_t operation);
  MBarrier &useMBarrier(const void *address, uint32_t operation);
  void countArrivals(MBarrier &mbarrier, uint32_t count);
  void completePhase(MBarrier &mbarrier);
  void endSomeCopies();
  bool stopWaitingAtMBarriers();
  unsigned clockOf(const MBarrier &mbarrier) const {
    return threads.size() + (&mbarrier - mbarriers.data());
  }
  unsigned numClocks() const { return threads.size() + kMaxMBarriers; }
  std::shared_ptr<const Release> makeRelease(const Thread &thread) const;
  void acquire(Thread &thread, const std::shared_ptr<const Release> &release);

  std::string describeOther(const Finding &finding, bool isShared) const;
  std::string nameThread(const Thread &thread) const;
  const char *nameOperation(uint32_t operation) const;
  std::string headline(llvm::StringRef what) const;

  const Launch &launch;
  GlobalMemory &global;
  SharedMemory &shared;
  std::vector<Stack> &stacks;
  Random &random;

  uint32_t position[3] = {};
  BlockOrder order;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::vector<uint32_t> clocks; ///< threads x numClocks()
  Barrier barriers[kNumBarriers];
  std::vector<MBarrier> mbarriers; ///< those that have been initialised once
  std::vector<AsyncArrival> asyncArrivals; ///< to come, in order of their start
  /// How often all who wait at mbarriers have been told that their phases are
  /// not complete since anybody did anything else.
  unsigned vainTests = 0;
  std::vector<Thread *> runnable;
  Thread *current = nullptr;
  unsigned numAlive = 0;
  uint32_t accessesLeft = 0;
  std::string report;
};

} // namespace mlir::sparse_attn::emulator

#endif // SPARSEATTN_EMULATOR_RUNTIME_BLOCK_H
