//===- Barrier.cpp - Barriers of a block ----------------------------------===//

#include "Block.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir::sparse_attn::emulator;

/// Barriers are `.aligned`: all lanes of a warp execute the same one together.
bool Block::checkWholeWarps(unsigned id) {
  Barrier &barrier = barriers[id];
  for (auto [index, warp] : llvm::enumerate(warps)) {
    uint32_t arrived = barrier.lanes[index];
    uint32_t missing = warp.present & ~warp.exited & ~arrived;
    if (!arrived || !missing)
      continue;
    Thread &absent = *warp.lanes[llvm::countr_zero(missing)];
    setReport(absent, barrier.operations[index],
              llvm::formatv("is not at barrier {0}, but other lanes of its "
                            "warp are: a warp must arrive as a whole",
                            id));
    return false;
  }
  return true;
}

void Block::completeBarrier(unsigned id) {
  if (!checkWholeWarps(id))
    return;
  Barrier barrier = std::move(barriers[id]);
  barriers[id] = Barrier();
  for (Thread *thread : barrier.waiting) {
    llvm::copy(barrier.clocks, thread->clocks);
    release(*thread);
    wake(*thread);
  }
}

void Block::arriveAtBarrier(int32_t id, int32_t count, uint32_t operation,
                            bool waits) {
  if (id < 0 || id >= static_cast<int32_t>(kNumBarriers))
    fail(*current, operation,
         llvm::formatv("names barrier {0}; a block has {1}", id, kNumBarriers));
  if (count < 0 || count % kWarpSize ||
      static_cast<size_t>(count) > threads.size() || (!count && !waits))
    fail(
        *current, operation,
        llvm::formatv("asks for {0} threads at a barrier; the number must be a "
                      "multiple of {1} and at most the block's {2}",
                      count, kWarpSize, threads.size()));
  Barrier &barrier = barriers[id];
  if (!barrier.arrived) {
    barrier.expected = count;
    barrier.lanes.assign(warps.size(), 0);
    barrier.operations.assign(warps.size(), 0);
    barrier.clocks.assign(threads.size(), 0);
  }
  if (barrier.expected != static_cast<uint32_t>(count))
    fail(*current, operation,
         llvm::formatv("expects {0} threads at barrier {1}, but those who wait "
                       "there expect {2} (0: all): {3}",
                       count, id, barrier.expected,
                       nameOperation(barrier.operation)));
  unsigned warp = current->index / kWarpSize;
  if (barrier.lanes[warp] && barrier.operations[warp] != operation)
    fail(*current, operation,
         llvm::formatv("arrives at barrier {0}, but other lanes of its warp "
                       "arrived by another operation: {1}",
                       id, nameOperation(barrier.operations[warp])));
  if (barrier.lanes[warp] & current->laneBit())
    fail(*current, operation,
         llvm::formatv("arrives twice at barrier {0} in one phase", id));
  barrier.operation = operation;
  barrier.lanes[warp] |= current->laneBit();
  barrier.operations[warp] = operation;
  ++barrier.arrived;
  for (size_t i = 0, e = threads.size(); i < e; ++i)
    barrier.clocks[i] = std::max(barrier.clocks[i], current->clocks[i]);
  if (waits) {
    barrier.waiting.push_back(current);
    current->waitsIn = "a barrier";
    current->operation = operation;
  } else {
    release(*current);
  }
  if (barrier.arrived == (barrier.expected ? barrier.expected : numAlive))
    completeBarrier(id);
  // Whoever waits is woken by the last to arrive, itself included.
  if (waits)
    current->fiber.suspend();
  else
    yield();
}
