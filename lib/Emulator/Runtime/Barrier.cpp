//===- Barrier.cpp - Barriers of a block ----------------------------------===//
//
// NVVM's barriers are `.aligned`: the lanes of a warp execute one together, and
// it counts warps. So lanes meet first, and then the warp arrives.
//
//===----------------------------------------------------------------------===//

#include "Block.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir::sparse_attn::emulator;

/// Whether all have arrived: as many warps as were asked for, or all that have
/// a thread left.
static bool isComplete(const Barrier &barrier, llvm::ArrayRef<Warp> warps) {
  if (barrier.expected)
    return barrier.warps.size() * kWarpSize == barrier.expected;
  return llvm::all_of(warps, [&](const Warp &warp) {
    return warp.exited == warp.present ||
           llvm::is_contained(barrier.warps, &warp);
  });
}

void Block::completeBarrier(Barrier &barrier) {
  for (Thread *thread : barrier.participants) {
    llvm::copy(barrier.clocks, thread->clocks);
    release(*thread);
  }
  unsigned count = llvm::count_if(
      barrier.voters, [](BarrierArrival *voter) { return voter->predicate; });
  for (BarrierArrival *voter : barrier.voters) {
    voter->numVoters = barrier.voters.size();
    voter->numInFavour = count;
  }
  for (Thread *thread : barrier.waiting)
    wake(*thread);
  barrier.warps.clear();
  barrier.participants.clear();
  barrier.voters.clear();
  barrier.waiting.clear();
  ++barrier.phase;
}

/// Threads that exit may be the last that others waited for.
void Block::completeBarriersWithoutExited() {
  for (Barrier &barrier : barriers)
    if (!barrier.warps.empty() && isComplete(barrier, warps))
      completeBarrier(barrier);
}

void Block::arrive(Warp &warp, const Rendezvous &rendezvous) {
  unsigned first = llvm::countr_zero(rendezvous.mask);
  Thread &speaker = *warp.lanes[first];
  auto arrival = *static_cast<BarrierArrival *>(rendezvous.operands[first]);
  Barrier &barrier = barriers[arrival.id];
  if (barrier.warps.empty()) {
    barrier.expected = arrival.expected;
    barrier.operation = rendezvous.operation;
    barrier.clocks.assign(numClocks(), 0);
  }
  if (barrier.expected != arrival.expected)
    return setReport(
        speaker, rendezvous.operation,
        llvm::formatv("expects {0} threads at barrier {1}, but those who wait "
                      "there expect {2} (0: all): {3}",
                      arrival.expected, arrival.id, barrier.expected,
                      nameOperation(barrier.operation)));
  if (llvm::is_contained(barrier.warps, &warp))
    return setReport(
        speaker, rendezvous.operation,
        llvm::formatv("arrives twice at barrier {0} in one phase", arrival.id));
  barrier.warps.push_back(&warp);
  for (Thread *thread : warp.lanes) {
    if (!(rendezvous.mask & thread->laneBit()))
      continue;
    auto &mine =
        *static_cast<BarrierArrival *>(rendezvous.operands[thread->lane]);
    if (mine.id != arrival.id || mine.expected != arrival.expected)
      return setReport(*thread, rendezvous.operation,
                       "names another barrier or number of threads than the "
                       "first lane of its warp");
    mine.phase = barrier.phase;
    for (size_t i = 0, e = numClocks(); i < e; ++i)
      barrier.clocks[i] = std::max(barrier.clocks[i], thread->clocks[i]);
    if (arrival.waits) {
      barrier.participants.push_back(thread);
      barrier.voters.push_back(&mine);
    } else {
      release(*thread);
    }
  }
  if (isComplete(barrier, warps))
    completeBarrier(barrier);
}

BarrierArrival Block::arriveAtBarrier(int32_t id, int32_t expected,
                                      uint32_t operation, bool waits,
                                      bool predicate) {
  if (id < 0 || id >= static_cast<int32_t>(kNumBarriers))
    fail(*current, operation, "names barrier {0}; a block has {1}", id,
         kNumBarriers);
  if (expected < 0 || expected % kWarpSize ||
      static_cast<size_t>(expected) > warps.size() * kWarpSize ||
      (!expected && !waits))
    fail(*current, operation,
         "asks for {0} threads at a barrier; the number must be a "
         "multiple of {1} and at most the block's {2}",
         expected, kWarpSize, threads.size());
  BarrierArrival arrival{static_cast<uint32_t>(id),
                         static_cast<uint32_t>(expected), waits, predicate};
  meet(Collective::Barrier, current->warp->present & ~current->warp->exited,
       operation, &arrival,
       [](Block &block, Warp &warp, Rendezvous &rendezvous) {
         block.arrive(warp, rendezvous);
       });
  Barrier &barrier = barriers[id];
  if (!waits || barrier.phase != arrival.phase)
    return arrival;
  barrier.waiting.push_back(current);
  wait("a barrier", operation);
  return arrival;
}
