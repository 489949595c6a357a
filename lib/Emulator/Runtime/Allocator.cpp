//===- Allocator.cpp - Global memory with gaps around it ------------------===//

#include "Allocator.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir::sparse_attn::emulator;

static constexpr size_t kGapBytes = size_t(64) << 20;

void *Allocator::allocate(size_t bytes, size_t alignment) {
  // Behind a multiple of 2 * alignment: aligned to that and to no more.
  size_t page = sysconf(_SC_PAGESIZE);
  size_t skew = 2 * alignment;
  size_t dataBytes = llvm::alignTo(bytes + alignment + skew, page);
  size_t total = dataBytes + 2 * kGapBytes;
  void *begin = mmap(nullptr, total, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char *data = static_cast<char *>(begin) + kGapBytes;
  if (begin == MAP_FAILED ||
      mprotect(data, dataBytes, PROT_READ | PROT_WRITE) != 0)
    llvm::report_fatal_error("no memory for an emulated allocation");
  auto address = llvm::alignTo(reinterpret_cast<uintptr_t>(data), skew);
  void *memory = reinterpret_cast<void *>(address + alignment);
  std::memset(memory, 0xff, bytes);
  mappings[memory] = {begin, total};
  return memory;
}

bool Allocator::deallocate(void *memory) {
  auto found = mappings.find(memory);
  if (found == mappings.end())
    return false;
  munmap(found->second.begin, found->second.bytes);
  mappings.erase(found);
  return true;
}

void Allocator::clear() {
  for (auto &[memory, mapping] : mappings)
    munmap(mapping.begin, mapping.bytes);
  mappings.clear();
}
