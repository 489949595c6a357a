//===- GlobalMemory.cpp - Registered allocations, checked -----------------===//

#include "GlobalMemory.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"
#include <sys/mman.h>

using namespace mlir::sparse_attn::emulator;

//===----------------------------------------------------------------------===//
// Order between blocks
//===----------------------------------------------------------------------===//

static bool covers(const Release &release, uint32_t block,
                   const Access &access) {
  if (release.block == block && access.clock <= release.clocks[access.thread])
    return true;
  return llvm::any_of(release.before, [&](const auto &before) {
    return covers(*before, block, access);
  });
}

bool BlockOrder::happenedBefore(uint32_t otherBlock, const Access &other,
                                const uint32_t *clocks) const {
  if (otherBlock == block)
    return other.happenedBefore(clocks);
  return llvm::any_of(acquires, [&](const Acquire &acquire) {
    return acquire.clock <= clocks[acquire.thread] &&
           covers(*acquire.release, otherBlock, other);
  });
}

//===----------------------------------------------------------------------===//
// Allocations
//===----------------------------------------------------------------------===//

GlobalMemory::~GlobalMemory() { clear(); }

void GlobalMemory::clear() {
  for (Allocation &allocation : allocations)
    munmap(allocation.words, allocation.shadowBytes);
  allocations.clear();
  releases.clear();
  lastFound = 0;
}

void GlobalMemory::add(const void *begin, uint64_t bytes) {
  if (bytes == 0)
    return;
  remove(begin);
  // A word more: an allocation need not begin at a word's boundary.
  size_t shadowBytes = (llvm::divideCeil(bytes, kWordBytes) + 1) * sizeof(Word);
  void *words = mmap(nullptr, shadowBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (words == MAP_FAILED)
    llvm::report_fatal_error("no memory to watch an emulated allocation");
  Allocation allocation{static_cast<const char *>(begin), bytes,
                        static_cast<Word *>(words), shadowBytes};
  auto position = llvm::upper_bound(
      allocations, allocation, [](const Allocation &a, const Allocation &b) {
        return a.begin < b.begin;
      });
  allocations.insert(position, allocation);
  lastFound = 0;
}

void GlobalMemory::remove(const void *begin) {
  llvm::erase_if(allocations, [&](const Allocation &allocation) {
    if (allocation.begin != begin)
      return false;
    munmap(allocation.words, allocation.shadowBytes);
    return true;
  });
  lastFound = 0;
}

void GlobalMemory::reset() {
  for (Allocation &allocation : allocations)
    madvise(allocation.words, allocation.shadowBytes, MADV_DONTNEED);
  releases.clear();
}

GlobalMemory::Allocation *GlobalMemory::find(const void *address) {
  auto isInside = [&](const Allocation &allocation) {
    return address >= allocation.begin &&
           address < allocation.begin + allocation.bytes;
  };
  if (lastFound < allocations.size() && isInside(allocations[lastFound]))
    return &allocations[lastFound];
  for (auto [index, allocation] : llvm::enumerate(allocations))
    if (isInside(allocation)) {
      lastFound = index;
      return &allocation;
    }
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

Fault GlobalMemory::report(Fault fault, const void *address,
                           const BlockAccess &other) {
  finding = Finding();
  finding.fault = fault;
  finding.other = other;
  finding.otherBlock = other.block;
  for (const Allocation &allocation : allocations)
    if (allocation.begin <= address) {
      finding.offset = static_cast<const char *>(address) - allocation.begin;
      finding.extent = allocation.bytes;
    }
  return fault;
}

Fault GlobalMemory::accessWord(Word &word, const void *address,
                               const BlockAccess &access,
                               const BlockOrder &order,
                               const uint32_t *clocks) {
  auto conflicts = [&](const BlockAccess &before) {
    return before.clock && (before.bytes & access.bytes) &&
           !(before.isAtomic() && access.isAtomic()) &&
           !order.happenedBefore(before.block, before, clocks);
  };
  if (conflicts(word.writer))
    return report(Fault::Race, address, word.writer);
  if (access.writes()) {
    for (BlockAccess &reader : word.readers) {
      if (conflicts(reader))
        return report(Fault::Race, address, reader);
      reader.bytes &= ~access.bytes;
      if (!reader.bytes)
        reader.clock = 0;
    }
    word.writer = access;
    return Fault::None;
  }
  BlockAccess &first = word.readers[0];
  BlockAccess &slot =
      !first.clock || first.block == access.block ? first : word.readers[1];
  uint8_t bytes = access.bytes;
  if (slot.clock && slot.block == access.block && slot.thread == access.thread)
    bytes |= slot.bytes;
  slot = access;
  slot.bytes = bytes;
  return Fault::None;
}

Fault GlobalMemory::access(const void *address, uint32_t bytes,
                           uint32_t alignment, const Access &access,
                           const BlockOrder &order, const uint32_t *clocks) {
  Allocation *allocation = find(address);
  if (!allocation)
    return report(Fault::OutOfBounds, address, BlockAccess());
  uint64_t offset = static_cast<const char *>(address) - allocation->begin;
  if (bytes > allocation->bytes - offset)
    return report(Fault::OutOfBounds, address, BlockAccess());
  if (reinterpret_cast<uintptr_t>(address) % alignment)
    return report(Fault::Misaligned, address, BlockAccess());
  // Words are those of the address space, not of the allocation.
  uint64_t skew = reinterpret_cast<uintptr_t>(allocation->begin) % kWordBytes;
  uint64_t first = offset + skew, last = first + bytes;
  BlockAccess part;
  static_cast<Access &>(part) = access;
  part.block = order.block;
  for (uint64_t word = first / kWordBytes; word * kWordBytes < last; ++word) {
    part.bytes = coveredBytes(word, first, last);
    const char *at =
        allocation->begin + std::max(word * kWordBytes, first) - skew;
    Fault fault = accessWord(allocation->words[word], at, part, order, clocks);
    if (fault != Fault::None)
      return fault;
  }
  return Fault::None;
}
