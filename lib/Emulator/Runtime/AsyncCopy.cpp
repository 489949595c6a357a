//===- AsyncCopy.cpp - Copies that land as late as they may ---------------===//
//
// Data arrive when the thread that started a copy waits for it, never before:
// whoever forgets to wait finds what was there. The bytes count as in flight
// until then, for the starting thread too.
//
//===----------------------------------------------------------------------===//

#include "Block.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cstring>

using namespace mlir::sparse_attn::emulator;

void Block::startCopy(void *target, const void *source, uint32_t bytes,
                      uint32_t sourceBytes, uint32_t operation) {
  if (sourceBytes > bytes)
    fail(*current, operation,
         llvm::formatv("copies {0} bytes of the source into {1}", sourceBytes,
                       bytes));
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
  current->copies.push_back({static_cast<char *>(target),
                             static_cast<const char *>(source), bytes,
                             sourceBytes, operation, current->copyGroup});
}

void Block::waitForCopies(int32_t newest) {
  Thread &thread = *current;
  auto mayStayInFlight = [&](const AsyncCopy &copy) {
    return newest >= 0 &&
           (copy.group == thread.copyGroup ||
            thread.copyGroup - copy.group <= static_cast<uint32_t>(newest));
  };
  for (const AsyncCopy &copy : thread.copies) {
    if (mayStayInFlight(copy))
      continue;
    std::memcpy(copy.target, copy.source, copy.sourceBytes);
    std::memset(copy.target + copy.sourceBytes, 0,
                copy.bytes - copy.sourceBytes);
    Access access{thread.clocks[thread.index], thread.index, 0, kWrite,
                  copy.operation};
    shared.endCopy(copy.target, copy.bytes, access);
  }
  llvm::erase_if(thread.copies,
                 [&](const AsyncCopy &copy) { return !mayStayInFlight(copy); });
  yield();
}
