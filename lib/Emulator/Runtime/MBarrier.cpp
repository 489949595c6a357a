//===- MBarrier.cpp - Barrier objects in shared memory --------------------===//
//
// A phase of an mbarrier is complete when as many arrivals as it expects have
// been counted. Who waits for it then knows what those who arrived had done,
// and the copies that their arrivals waited for, which land at that moment.
//
// A test that fails need not be repeated at once, so a thread sleeps in it
// until the phase is complete; where nobody else can run it fails. Copies end
// at random times, and where nobody can run.
//
//===----------------------------------------------------------------------===//

#include "Block.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn::emulator;

/// A copy that need not have ended yet ends in one of so many turns of the
/// scheduler.
constexpr uint32_t kTurnsUntilCopiesEnd = 64;
/// One of so many tests that fail does so at once.
constexpr uint32_t kTestsUntilOneFails = 8;
/// A block has a deadlock when nobody has done anything but test mbarriers for
/// so many rounds.
constexpr unsigned kVainTests = 256;
/// What PTX lets an mbarrier count.
constexpr int32_t kMaxArrivals = (1 << 20) - 1;

static void join(std::vector<uint32_t> &clocks, const uint32_t *others) {
  for (size_t i = 0, e = clocks.size(); i < e; ++i)
    clocks[i] = std::max(clocks[i], others[i]);
}

void Block::checkMBarrier(Fault fault, uint32_t mode, uint32_t operation) {
  if (fault == Fault::None)
    return;
  constexpr uint32_t bytes = 8;
  reportFinding(*current, shared.getFinding(), bytes, bytes, mode, operation,
                /*isShared=*/true);
  current->fiber.suspend();
}

void Block::initMBarrier(const void *address, int32_t count,
                         uint32_t operation) {
  switchSometimes();
  if (count < 1 || count > kMaxArrivals)
    fail(*current, operation,
         "initialises an mbarrier for {0} arrivals; it can count "
         "1 to {1}",
         count, kMaxArrivals);
  Access access{current->clocks[current->index], current->index, 0, kWrite,
                operation};
  checkMBarrier(shared.initBarrier(address, access, current->clocks), kWrite,
                operation);
  uint64_t offset = shared.offsetOf(address);
  auto known = llvm::find_if(mbarriers, [&](const MBarrier &mbarrier) {
    return mbarrier.offset == offset;
  });
  if (known == mbarriers.end()) {
    if (mbarriers.size() == kMaxMBarriers)
      fail(*current, operation,
           "is the initialisation of mbarrier {0} of a block; "
           "the emulator follows no more than {1}",
           kMaxMBarriers + 1, kMaxMBarriers);
    known = mbarriers.emplace(mbarriers.end());
    known->offset = offset;
  }
  known->isValid = true;
  known->expected = known->pending = count;
  known->phase = 0;
  known->operation = operation;
  known->clocks.assign(numClocks(), 0);
  known->completed.assign(numClocks(), 0);
}

void Block::invalidateMBarrier(const void *address, uint32_t operation) {
  vainTests = 0;
  MBarrier &mbarrier = useMBarrier(address, operation);
  unsigned number = &mbarrier - mbarriers.data();
  if (!mbarrier.waiting.empty()) {
    const uint32_t *who = mbarrier.waiting.front()->position;
    fail(*current, operation,
         "invalidates an mbarrier that thread ({0}, {1}, {2}) waits at", who[0],
         who[1], who[2]);
  }
  if (!mbarrier.copies.empty() ||
      llvm::any_of(asyncArrivals, [&](const AsyncArrival &arrival) {
        return arrival.mbarrier == number;
      }))
    fail(*current, operation,
         "invalidates an mbarrier that tracks copies which nobody has waited "
         "for");
  Access access{current->clocks[current->index], current->index, 0, kWrite,
                operation};
  checkMBarrier(shared.invalidateBarrier(address, access, current->clocks),
                kWrite, operation);
  mbarrier.isValid = false;
}

/// What the thread's operation is on: initialised, and known to be.
MBarrier &Block::useMBarrier(const void *address, uint32_t operation) {
  yieldSometimes();
  constexpr uint8_t mode = kRead | kAtomic;
  Access access{current->clocks[current->index], current->index, 0, mode,
                operation};
  checkMBarrier(shared.useBarrier(address, access, current->clocks), mode,
                operation);
  uint64_t offset = shared.offsetOf(address);
  return *llvm::find_if(mbarriers, [&](const MBarrier &mbarrier) {
    return mbarrier.offset == offset;
  });
}

//===----------------------------------------------------------------------===//
// Arrivals
//===----------------------------------------------------------------------===//

uint64_t Block::arriveAtMBarrier(const void *address, int32_t count,
                                 bool mayComplete, uint32_t operation) {
  vainTests = 0;
  MBarrier &mbarrier = useMBarrier(address, operation);
  auto pending = static_cast<int32_t>(mbarrier.pending);
  if (count < 1 || count > pending)
    fail(*current, operation,
         "arrives {0} times at an mbarrier that expects {1} more "
         "arrivals of {2} in its phase {3}",
         count, pending, mbarrier.expected, mbarrier.phase);
  if (count == pending && !mayComplete)
    fail(*current, operation,
         "completes phase {0} of an mbarrier; it says that it "
         "does not",
         mbarrier.phase);
  uint64_t state = mbarrier.phase;
  join(mbarrier.clocks, current->clocks);
  release(*current);
  countArrivals(mbarrier, count);
  return state;
}

void Block::arriveWithCopies(const void *address, bool isCounted,
                             uint32_t operation) {
  vainTests = 0;
  MBarrier &mbarrier = useMBarrier(address, operation);
  if (!isCounted) {
    if (mbarrier.pending == static_cast<uint32_t>(kMaxArrivals))
      fail(*current, operation,
           "is arrival {0} of a phase of an mbarrier, which "
           "counts {1}",
           kMaxArrivals + 1, kMaxArrivals);
    ++mbarrier.pending;
  }
  forgetKnownCopies(*current);
  asyncArrivals.push_back({current,
                           static_cast<unsigned>(&mbarrier - mbarriers.data()),
                           current->copies});
}

/// Those of one thread arrive in their order.
void Block::endSomeCopies() {
  while (!asyncArrivals.empty() &&
         (runnable.empty() || random.below(kTurnsUntilCopiesEnd) == 0)) {
    const Thread *thread =
        asyncArrivals[random.below(asyncArrivals.size())].thread;
    auto first = llvm::find_if(asyncArrivals, [&](const AsyncArrival &arrival) {
      return arrival.thread == thread;
    });
    MBarrier &mbarrier = mbarriers[first->mbarrier];
    llvm::append_range(mbarrier.copies, first->copies);
    asyncArrivals.erase(first);
    countArrivals(mbarrier, 1);
  }
}

void Block::countArrivals(MBarrier &mbarrier, uint32_t count) {
  mbarrier.pending -= count;
  if (mbarrier.pending == 0)
    completePhase(mbarrier);
}

void Block::completePhase(MBarrier &mbarrier) {
  vainTests = 0;
  uint32_t &landed = mbarrier.clocks[clockOf(mbarrier)];
  for (const std::shared_ptr<AsyncCopy> &copy : mbarrier.copies) {
    if (!copy->landedAt) {
      landed = mbarrier.landings + 1;
      land(*copy, clockOf(mbarrier), landed);
    }
    uint32_t &known = mbarrier.clocks[copy->landedFor];
    known = std::max(known, copy->landedAt);
  }
  mbarrier.landings = std::max(mbarrier.landings, landed);
  mbarrier.copies.clear();
  mbarrier.completed = mbarrier.clocks;
  llvm::fill(mbarrier.clocks, 0);
  mbarrier.pending = mbarrier.expected;
  ++mbarrier.phase;
  for (Thread *thread : std::exchange(mbarrier.waiting, {}))
    wake(*thread);
}

//===----------------------------------------------------------------------===//
// Waits
//===----------------------------------------------------------------------===//

bool Block::testMBarrier(const void *address, PhaseName name, uint64_t phase,
                         bool waits, uint32_t operation) {
  MBarrier &mbarrier = useMBarrier(address, operation);
  auto isComplete = [&] {
    if (name == PhaseName::Parity)
      return (mbarrier.phase & 1) != (phase & 1);
    if (phase != mbarrier.phase && phase + 1 != mbarrier.phase)
      fail(*current, operation,
           "waits for phase {0} of an mbarrier in its phase {1}; "
           "it knows of that and of the one before",
           phase, mbarrier.phase);
    return phase != mbarrier.phase;
  };
  while (!isComplete()) {
    if (!waits && random.below(kTestsUntilOneFails) == 0) {
      yield();
      return false;
    }
    mbarrier.waiting.push_back(current);
    wait("an mbarrier", operation);
    if (!waits && !isComplete())
      return false;
  }
  for (size_t i = 0, e = numClocks(); i < e; ++i)
    current->clocks[i] = std::max(current->clocks[i], mbarrier.completed[i]);
  vainTests = 0;
  return true;
}

/// Lets the tests fail that threads sleep in. Returns false if that has been
/// in vain too often.
bool Block::stopWaitingAtMBarriers() {
  if (vainTests++ == kVainTests)
    return false;
  for (MBarrier &mbarrier : mbarriers)
    for (Thread *thread : std::exchange(mbarrier.waiting, {}))
      wake(*thread);
  return !runnable.empty();
}
