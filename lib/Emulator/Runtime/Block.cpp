//===- Block.cpp - Scheduling the threads of a block ----------------------===//

#include "Block.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::sparse_attn::emulator;

Block::Block(const Launch &launch, GlobalMemory &global, SharedMemory &shared,
             std::vector<Stack> &stacks, Random &random)
    : launch(launch), global(global), shared(shared), stacks(stacks),
      random(random), threads(launch.numThreads),
      warps(llvm::divideCeil(launch.numThreads, kWarpSize)) {
  while (stacks.size() < threads.size())
    stacks.emplace_back();
  for (auto [index, thread] : llvm::enumerate(threads)) {
    thread.index = index;
    thread.lane = index % kWarpSize;
    thread.position[0] = index % launch.block[0];
    thread.position[1] = index / launch.block[0] % launch.block[1];
    thread.position[2] = index / launch.block[0] / launch.block[1];
    thread.warp = &warps[index / kWarpSize];
    thread.warp->lanes.push_back(&thread);
    thread.warp->present |= thread.laneBit();
  }
}

void Block::startThreads() {
  clocks.assign(threads.size() * numClocks(), 0);
  for (Thread &thread : threads) {
    thread.clocks = &clocks[thread.index * numClocks()];
    thread.clocks[thread.index] = 1;
    thread.waitsIn = nullptr;
    thread.copies.clear();
    thread.copyGroup = 0;
    thread.fenced.reset();
    thread.observed.clear();
    thread.fiber.start(
        stacks[thread.index],
        [](void *launch) {
          auto &what = *static_cast<const Launch *>(launch);
          what.kernel->entry(what.arguments);
        },
        const_cast<Launch *>(&launch));
    runnable.push_back(&thread);
  }
  for (Warp &warp : warps) {
    warp.exited = 0;
    warp.pending.clear();
  }
  for (Barrier &barrier : barriers)
    barrier = Barrier();
  mbarriers.clear();
  mbarriers.reserve(kMaxMBarriers);
  asyncArrivals.clear();
  vainTests = 0;
  numAlive = threads.size();
  accessesLeft = 0;
}

std::string Block::run(uint32_t block) {
  position[0] = block % launch.grid[0];
  position[1] = block / launch.grid[0] % launch.grid[1];
  position[2] = block / launch.grid[0] / launch.grid[1];
  order.block = block;
  order.acquires.clear();
  report.clear();
  runnable.clear();
  shared.reset();
  startThreads();
  while (numAlive > 0 && report.empty()) {
    endSomeCopies();
    if (runnable.empty() && !stopWaitingAtMBarriers()) {
      reportDeadlock();
      break;
    }
    std::swap(runnable[random.below(runnable.size())], runnable.back());
    current = runnable.back();
    runnable.pop_back();
    current->fiber.resume();
    if (current->fiber.isFinished() && report.empty())
      exit(*current);
  }
  current = nullptr;
  return std::move(report);
}

void Block::exit(Thread &thread) {
  vainTests = 0;
  --numAlive;
  thread.warp->exited |= thread.laneBit();
  leaveRendezvous(thread);
  if (report.empty())
    completeBarriersWithoutExited();
}

void Block::wait(const char *where, uint32_t operation) {
  current->waitsIn = where;
  current->operation = operation;
  current->fiber.suspend();
}

void Block::wake(Thread &thread) {
  thread.waitsIn = nullptr;
  runnable.push_back(&thread);
}

void Block::yield() {
  runnable.push_back(current);
  current->fiber.suspend();
}

void Block::switchSometimes() {
  vainTests = 0;
  yieldSometimes();
}

void Block::yieldSometimes() {
  if (accessesLeft-- > 0)
    return;
  constexpr uint32_t longest = 64;
  accessesLeft = random.below(longest);
  yield();
}

/// The thread's accesses from now on are later than what it has released.
void Block::release(Thread &thread) { ++thread.clocks[thread.index]; }

void Block::joinClocks(llvm::ArrayRef<Thread *> those) {
  llvm::SmallVector<uint32_t, kMaxThreads> joined(numClocks(), 0);
  for (const Thread *thread : those)
    for (size_t i = 0, e = joined.size(); i < e; ++i)
      joined[i] = std::max(joined[i], thread->clocks[i]);
  for (Thread *thread : those) {
    llvm::copy(joined, thread->clocks);
    release(*thread);
  }
}

void Block::abandon() {
  current->fiber.suspend();
  llvm_unreachable("a block went on after an error");
}
