//===- AsyncCopy.cpp - Copies that land as late as they may ---------------===//
//
// Data arrive when the thread that started a copy waits for it, or when a phase
// of an mbarrier that tracks it is complete, never before: whoever forgets to
// wait finds what was there. The bytes count as in flight until then, for the
// starting thread too.
//
//===----------------------------------------------------------------------===//

#include "Block.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>

using namespace mlir::sparse_attn::emulator;

void Block::startCopy(void *target, const void *source, uint32_t bytes,
                      uint32_t sourceBytes, uint32_t operation) {
  if (sourceBytes > bytes)
    fail(*current, operation, "copies {0} bytes of the source into {1}",
         sourceBytes, bytes);
  switchSometimes();
  if (sourceBytes) {
    // Sources are aligned to the size of the copy even if less is read.
    if (reinterpret_cast<uintptr_t>(source) % bytes)
      accessGlobal(source, sourceBytes, bytes, kRead, operation);
    accessGlobal(source, sourceBytes, 1, kRead, operation);
  }
  Access access{current->clocks[current->index], current->index, 0, kWrite,
                operation};
  Fault fault = shared.beginCopy(target, bytes, access, current->clocks);
  if (fault != Fault::None) {
    reportFinding(*current, shared.getFinding(), bytes, bytes, kWrite,
                  operation, /*isShared=*/true);
    current->fiber.suspend();
  }
  forgetKnownCopies(*current);
  current->copies.push_back(std::make_shared<AsyncCopy>(
      AsyncCopy{static_cast<char *>(target), static_cast<const char *>(source),
                bytes, sourceBytes, operation, current->copyGroup}));
}

void Block::forgetKnownCopies(Thread &thread) {
  llvm::erase_if(thread.copies, [&](const std::shared_ptr<AsyncCopy> &copy) {
    return copy->isKnownTo(thread.clocks);
  });
}

/// From now on those may read it whose clocks have `landedAt` at `landedFor`.
void Block::land(AsyncCopy &copy, uint16_t landedFor, uint32_t landedAt) {
  std::memcpy(copy.target, copy.source, copy.sourceBytes);
  std::memset(copy.target + copy.sourceBytes, 0, copy.bytes - copy.sourceBytes);
  copy.landedFor = landedFor;
  copy.landedAt = landedAt;
  shared.endCopy(copy.target, copy.bytes,
                 Access{landedAt, landedFor, 0, kWrite, copy.operation});
}

void Block::waitForCopies(int32_t newest) {
  Thread &thread = *current;
  auto mayStayInFlight = [&](const AsyncCopy &copy) {
    return newest >= 0 &&
           (copy.group == thread.copyGroup ||
            thread.copyGroup - copy.group <= static_cast<uint32_t>(newest));
  };
  for (const std::shared_ptr<AsyncCopy> &copy : thread.copies) {
    if (mayStayInFlight(*copy))
      continue;
    if (!copy->landedAt)
      land(*copy, thread.index, thread.clocks[thread.index]);
    uint32_t &known = thread.clocks[copy->landedFor];
    known = std::max(known, copy->landedAt);
  }
  forgetKnownCopies(thread);
  yield();
}
