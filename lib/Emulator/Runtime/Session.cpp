//===- Session.cpp - State of the emulator between launches ---------------===//

#include "Session.h"
#include "llvm/Support/FormatVariadic.h"
#include <numeric>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::emulator;

Session &Session::get() {
  static Session session;
  return session;
}

void Session::start(uint64_t newSeed) {
  global.clear();
  allocator.clear();
  report.clear();
  multiplyAdds = 0;
  seed = newSeed;
  random = Random(seed);
}

std::string Session::checkLaunch(const Launch &launch) {
  const KernelDescriptor &kernel = *launch.kernel;
  uint64_t limit = kernel.maxThreads ? kernel.maxThreads : kMaxThreads;
  if (launch.numThreads == 0 || launch.numThreads > limit)
    return llvm::formatv(
        "kernel '{0}' is launched with {1} threads a block; it "
        "takes 1 to {2}",
        kernel.name, launch.numThreads, limit);
  constexpr uint32_t kMaxGrid[] = {2147483647, 65535, 65535};
  for (int dim = 0; dim < 3; ++dim)
    if (launch.grid[dim] > kMaxGrid[dim])
      return llvm::formatv("kernel '{0}' is launched with {1} blocks in "
                           "dimension {2} of its grid; no GPU takes more than "
                           "{3}",
                           kernel.name, launch.grid[dim], dim, kMaxGrid[dim]);
  int64_t bytes = shared.layOut(llvm::ArrayRef(kernel.shared, kernel.numShared),
                                launch.dynamicSharedBytes, launch.numThreads);
  if (bytes > SharedMemory::kMaxBytes)
    return llvm::formatv("kernel '{0}' is launched with {1} bytes of shared "
                         "memory a block; no GPU has more than {2}",
                         kernel.name, bytes, SharedMemory::kMaxBytes);
  return "";
}

void Session::launch(const Launch &launch) {
  if (!report.empty())
    return;
  report = checkLaunch(launch);
  if (!report.empty())
    return;
  global.reset();
  std::vector<uint32_t> order(launch.grid[0] * launch.grid[1] * launch.grid[2]);
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random.below(i)]);
  Block running(launch, global, shared, stacks, random);
  block = &running;
  for (uint32_t index : order) {
    report = running.run(index);
    if (!report.empty()) {
      report += llvm::formatv("\n  replay with schedule seed {0}", seed);
      break;
    }
  }
  block = nullptr;
}

void *Session::allocate(size_t bytes, size_t alignment) {
  void *memory = allocator.allocate(bytes, alignment);
  global.add(memory, bytes);
  return memory;
}

void Session::deallocate(void *memory) {
  if (!allocator.deallocate(memory))
    return;
  global.remove(memory);
}

static constexpr size_t kAlignment = 16;

void *emulator::allocate(size_t bytes) {
  return Session::get().allocate(bytes, kAlignment);
}

void emulator::deallocate(void *memory) { Session::get().deallocate(memory); }

void emulator::startSession(uint64_t seed) { Session::get().start(seed); }

void emulator::registerAllocation(const void *begin, size_t bytes) {
  Session::get().global.add(begin, bytes);
}

void emulator::unregisterAllocation(const void *begin) {
  Session::get().global.remove(begin);
}

uint64_t emulator::getMultiplyAdds() { return Session::get().multiplyAdds; }

std::optional<std::string> emulator::getReport() {
  if (Session::get().report.empty())
    return std::nullopt;
  return Session::get().report;
}
