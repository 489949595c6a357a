//===- Accesses.cpp - Loads, stores, atomics and fences -------------------===//

#include "Block.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn::emulator;

static Access makeAccess(const Thread &thread, uint32_t mode,
                         uint32_t operation) {
  return Access{thread.clocks[thread.index], thread.index, 0,
                static_cast<uint8_t>(mode), operation};
}

void Block::accessShared(Thread &thread, const void *address, uint32_t bytes,
                         uint32_t alignment, uint32_t mode,
                         uint32_t operation) {
  Fault fault =
      shared.access(address, bytes, alignment,
                    makeAccess(thread, mode, operation), thread.clocks);
  if (fault == Fault::None)
    return;
  reportFinding(thread, shared.getFinding(), bytes, alignment, mode, operation,
                /*isShared=*/true);
  current->fiber.suspend();
}

void Block::accessShared(const void *address, uint32_t bytes,
                         uint32_t alignment, uint32_t mode,
                         uint32_t operation) {
  switchSometimes();
  accessShared(*current, address, bytes, alignment, mode, operation);
}

void Block::accessGlobal(const void *address, uint32_t bytes,
                         uint32_t alignment, uint32_t mode,
                         uint32_t operation) {
  switchSometimes();
  Fault fault = global.access(address, bytes, alignment,
                              makeAccess(*current, mode, operation), order,
                              current->clocks);
  if (fault == Fault::None)
    return;
  reportFinding(*current, global.getFinding(), bytes, alignment, mode,
                operation, /*isShared=*/false);
  current->fiber.suspend();
}

/// Generic addresses are of shared memory, of the thread's own stack, or
/// global.
void Block::accessGeneric(const void *address, uint32_t bytes,
                          uint32_t alignment, uint32_t mode,
                          uint32_t operation) {
  const Stack &stack = stacks[current->index];
  if (address >= stack.begin() && address < stack.end())
    return;
  if (shared.contains(address))
    accessShared(address, bytes, alignment, mode, operation);
  else
    accessGlobal(address, bytes, alignment, mode, operation);
}

//===----------------------------------------------------------------------===//
// Atomics order threads
//===----------------------------------------------------------------------===//

std::shared_ptr<const Release> Block::makeRelease(const Thread &thread) const {
  auto release = std::make_shared<Release>();
  release->block = order.block;
  release->clocks.assign(thread.clocks, thread.clocks + numClocks());
  for (const Acquire &acquire : order.acquires)
    if (acquire.clock <= thread.clocks[acquire.thread])
      release->before.push_back(acquire.release);
  return release;
}

void Block::acquire(Thread &thread,
                    const std::shared_ptr<const Release> &release) {
  if (release->block != order.block) {
    order.acquires.push_back(
        {release, thread.index, thread.clocks[thread.index]});
    return;
  }
  for (size_t i = 0, e = numClocks(); i < e; ++i)
    thread.clocks[i] = std::max(thread.clocks[i], release->clocks[i]);
}

void Block::fence() {
  Thread &thread = *current;
  for (const auto &observed : thread.observed)
    acquire(thread, observed);
  thread.observed.clear();
  thread.fenced = makeRelease(thread);
  release(thread);
}

/// A store that releases publishes all that happened before it, a relaxed one
/// what happened before the thread's last fence. A load that acquires is
/// ordered after what was published, a relaxed one lets the next fence be.
///
/// Which store a load reads from is not followed: it sees all earlier ones, as
/// it does when they are read-modify-writes.
void Block::orderAtomic(const void *address, MemoryOrder store,
                        MemoryOrder load) {
  Thread &thread = *current;
  auto &published = global.getReleases(address);
  if (load == MemoryOrder::Ordered)
    for (const auto &other : published)
      acquire(thread, other);
  if (load == MemoryOrder::Relaxed)
    llvm::append_range(thread.observed, published);
  if (store == MemoryOrder::Ordered) {
    published.push_back(makeRelease(thread));
    release(thread);
  } else if (store == MemoryOrder::Relaxed && thread.fenced) {
    published.push_back(thread.fenced);
  }
}
