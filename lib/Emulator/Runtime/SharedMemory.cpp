//===- SharedMemory.cpp - A block's shared memory, checked ----------------===//

#include "SharedMemory.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>
#include <sys/mman.h>

using namespace mlir::sparse_attn::emulator;

#ifndef MAP_32BIT
#define MAP_32BIT 0
#endif

/// Below 4 GB: kernels compute shared addresses in 32 bits, as PTX does.
SharedMemory::SharedMemory() {
  void *memory = mmap(reinterpret_cast<void *>(uint64_t(1) << 30),
                      kReservedBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (memory == MAP_FAILED)
    llvm::report_fatal_error("no memory for emulated shared memory");
  base = static_cast<char *>(memory);
}

SharedMemory::~SharedMemory() { munmap(base, kReservedBytes); }

/// The first offset from `offset` on that is a multiple of `alignment` and of
/// nothing larger: code must not rely on more than a variable declares.
static uint64_t alignExactly(uint64_t offset, uint64_t alignment) {
  uint64_t aligned = llvm::alignTo(offset, alignment);
  return aligned % (2 * alignment) ? aligned : aligned + alignment;
}

int64_t SharedMemory::layOut(llvm::ArrayRef<SharedVariable> variables,
                             int64_t dynamicBytes, unsigned newNumThreads) {
  numThreads = newNumThreads;
  maxReaders = std::clamp(numThreads / 32, 4u, 16u);
  offsets.assign(variables.size(), 0);
  isVariable.clear();
  extents.clear();
  int64_t total = 0;
  uint64_t offset = 0;
  auto place = [&](int64_t bytes, uint64_t alignment) {
    offset = alignExactly(offset, alignment);
    uint64_t begin = offset;
    offset += bytes;
    total += bytes;
    if (total > kMaxBytes || bytes == 0)
      return begin;
    extents.push_back({begin, offset});
    isVariable.resize(llvm::divideCeil(offset, kWordBytes));
    std::fill(isVariable.begin() + begin / kWordBytes, isVariable.end(), true);
    // A word between this variable and the next, to catch an overrun.
    offset += kWordBytes;
    return begin;
  };
  uint64_t dynamicAlignment = 16;
  for (auto [index, variable] : llvm::enumerate(variables))
    if (variable.bytes > 0)
      offsets[index] = place(variable.bytes, variable.alignment);
    else if (variable.bytes == SharedVariable::kDynamic)
      dynamicAlignment =
          std::max<uint64_t>(dynamicAlignment, variable.alignment);
  uint64_t dynamic = place(dynamicBytes, dynamicAlignment);
  for (auto [index, variable] : llvm::enumerate(variables))
    if (variable.bytes == SharedVariable::kDynamic)
      offsets[index] = dynamic;
  usedBytes = isVariable.size() * kWordBytes;
  return total;
}

void SharedMemory::reset() {
  std::memset(base, 0xff, usedBytes);
  words.assign(isVariable.size(), Word());
  for (auto [word, is] : llvm::zip(words, isVariable))
    word.isVariable = is;
  readers.resize(words.size() * maxReaders);
  denseClocks.clear();
}

Fault SharedMemory::report(Fault fault, uint64_t offset, const Access &other) {
  finding = Finding();
  finding.fault = fault;
  finding.other = other;
  finding.offset = offset;
  for (auto [begin, end] : extents)
    if (begin <= offset) {
      finding.offset = offset - begin;
      finding.extent = end - begin;
    }
  return fault;
}

//===----------------------------------------------------------------------===//
// One word
//===----------------------------------------------------------------------===//

static bool conflicts(const Access &before, const Access &now,
                      const uint32_t *clocks) {
  return (before.bytes & now.bytes) && !before.happenedBefore(clocks) &&
         !(before.isAtomic() && now.isAtomic());
}

const Access *SharedMemory::findUnorderedReader(uint64_t word,
                                                const Access &access,
                                                const uint32_t *clocks) {
  Word &shadow = words[word];
  Access *known = getReaders(word);
  for (unsigned i = 0; i < shadow.numReaders; ++i)
    if (conflicts(known[i], access, clocks))
      return &known[i];
  if (!shadow.dense)
    return nullptr;
  const uint32_t *dense = &denseClocks[(shadow.dense - 1) * numThreads];
  for (unsigned thread = 0; thread < numThreads; ++thread)
    if (dense[thread] > clocks[thread]) {
      denseReader = known[0];
      denseReader.thread = thread;
      denseReader.clock = dense[thread];
      return &denseReader;
    }
  return nullptr;
}

/// A word has as many unordered readers as threads at most. Only reads of the
/// whole word go here, so that nobody is taken for a reader of other bytes.
void SharedMemory::addDenseReader(uint64_t word, const Access &access) {
  Word &shadow = words[word];
  if (!shadow.dense) {
    denseClocks.resize(denseClocks.size() + numThreads);
    shadow.dense = denseClocks.size() / numThreads;
  }
  denseClocks[(shadow.dense - 1) * numThreads + access.thread] = access.clock;
}

void SharedMemory::addReader(uint64_t word, const Access &access,
                             const uint32_t *clocks) {
  Word &shadow = words[word];
  Access *known = getReaders(word);
  for (unsigned i = 0; i < shadow.numReaders; ++i)
    // Whoever is ordered after this access is ordered after that one too.
    if (!(known[i].bytes & ~access.bytes) && known[i].happenedBefore(clocks)) {
      known[i] = access;
      return;
    }
  if (shadow.numReaders < maxReaders) {
    known[shadow.numReaders++] = access;
    return;
  }
  constexpr uint8_t whole = (1u << kWordBytes) - 1;
  if (access.bytes == whole)
    addDenseReader(word, access);
  else
    known[access.thread % maxReaders] = access;
}

void SharedMemory::removeReaders(uint64_t word, uint8_t bytes) {
  Word &shadow = words[word];
  Access *known = getReaders(word);
  unsigned kept = 0;
  for (unsigned i = 0; i < shadow.numReaders; ++i) {
    known[i].bytes &= ~bytes;
    if (known[i].bytes)
      known[kept++] = known[i];
  }
  shadow.numReaders = kept;
  if (shadow.dense)
    std::fill_n(&denseClocks[(shadow.dense - 1) * numThreads], numThreads, 0);
}

Fault SharedMemory::checkRead(uint64_t word, const Access &access,
                              const uint32_t *clocks) {
  Word &shadow = words[word];
  if (shadow.isBarrier)
    return reportWord(Fault::HoldsBarrier, word, shadow.writer);
  if (shadow.inFlight & access.bytes)
    return reportWord(Fault::InFlight, word, shadow.writer);
  if (conflicts(shadow.writer, access, clocks))
    return reportWord(Fault::Race, word, shadow.writer);
  if (access.bytes & ~shadow.written)
    return reportWord(Fault::Unwritten, word, Access());
  return Fault::None;
}

Fault SharedMemory::checkWrite(uint64_t word, const Access &access,
                               const uint32_t *clocks) {
  Word &shadow = words[word];
  if (shadow.inFlight & access.bytes)
    return reportWord(Fault::InFlight, word, shadow.writer);
  if (conflicts(shadow.writer, access, clocks))
    return reportWord(Fault::Race, word, shadow.writer);
  if (const Access *reader = findUnorderedReader(word, access, clocks))
    return reportWord(Fault::Race, word, *reader);
  return Fault::None;
}

void SharedMemory::write(uint64_t word, const Access &access) {
  removeReaders(word, access.bytes);
  words[word].writer = access;
}

//===----------------------------------------------------------------------===//
// A range
//===----------------------------------------------------------------------===//

Fault SharedMemory::locate(const void *address, uint32_t bytes,
                           uint32_t alignment, uint64_t &first) {
  first = static_cast<const char *>(address) - base;
  if (reinterpret_cast<uintptr_t>(address) % alignment)
    return report(Fault::Misaligned, first, Access());
  if (first >= usedBytes || bytes > usedBytes - first)
    return report(Fault::OutOfBounds, first, Access());
  return Fault::None;
}

template <typename Function>
Fault SharedMemory::forEachWord(uint64_t first, uint32_t bytes,
                                Function function) {
  uint64_t last = first + bytes;
  for (uint64_t word = first / kWordBytes; word * kWordBytes < last; ++word) {
    if (!words[word].isVariable)
      return reportWord(Fault::OutOfBounds, word, Access());
    Fault fault = function(word, coveredBytes(word, first, last));
    if (fault != Fault::None)
      return fault;
  }
  return Fault::None;
}

Fault SharedMemory::access(const void *address, uint32_t bytes,
                           uint32_t alignment, const Access &access,
                           const uint32_t *clocks) {
  uint64_t first;
  if (Fault fault = locate(address, bytes, alignment, first);
      fault != Fault::None)
    return fault;
  return forEachWord(first, bytes, [&](uint64_t word, uint8_t covered) {
    Access part = access;
    part.bytes = covered;
    if (!access.writes()) {
      Fault fault = checkRead(word, part, clocks);
      if (fault == Fault::None)
        addReader(word, part, clocks);
      return fault;
    }
    Word &shadow = words[word];
    if (shadow.isBarrier)
      return reportWord(Fault::HoldsBarrier, word, shadow.writer);
    if (Fault fault = checkWrite(word, part, clocks); fault != Fault::None)
      return fault;
    if ((access.mode & kRead) && (covered & ~shadow.written))
      return reportWord(Fault::Unwritten, word, Access());
    write(word, part);
    shadow.written |= covered;
    return Fault::None;
  });
}

Fault SharedMemory::beginCopy(const void *address, uint32_t bytes,
                              const Access &access, const uint32_t *clocks) {
  uint64_t first;
  if (Fault fault = locate(address, bytes, bytes, first); fault != Fault::None)
    return fault;
  return forEachWord(first, bytes, [&](uint64_t word, uint8_t covered) {
    Access part = access;
    part.bytes = covered;
    if (words[word].isBarrier)
      return reportWord(Fault::HoldsBarrier, word, words[word].writer);
    if (Fault fault = checkWrite(word, part, clocks); fault != Fault::None)
      return fault;
    write(word, part);
    words[word].inFlight |= covered;
    return Fault::None;
  });
}

void SharedMemory::endCopy(const void *address, uint32_t bytes,
                           const Access &access) {
  uint64_t first = static_cast<const char *>(address) - base;
  forEachWord(first, bytes, [&](uint64_t word, uint8_t covered) {
    Word &shadow = words[word];
    shadow.writer = access;
    shadow.writer.bytes = covered;
    shadow.inFlight &= ~covered;
    shadow.written |= covered;
    return Fault::None;
  });
}

//===----------------------------------------------------------------------===//
// Memory barriers
//===----------------------------------------------------------------------===//

template <typename Function>
Fault SharedMemory::forEachBarrierWord(const void *address,
                                       const Access &access,
                                       Function function) {
  constexpr uint32_t bytes = 8;
  uint64_t first;
  if (Fault fault = locate(address, bytes, bytes, first); fault != Fault::None)
    return fault;
  return forEachWord(first, bytes, [&](uint64_t word, uint8_t covered) {
    Access part = access;
    part.bytes = covered;
    return function(word, part);
  });
}

Fault SharedMemory::initBarrier(const void *address, const Access &access,
                                const uint32_t *clocks) {
  return forEachBarrierWord(
      address, access, [&](uint64_t word, const Access &part) {
        Word &shadow = words[word];
        if (shadow.isBarrier)
          return reportWord(Fault::BarrierInUse, word, shadow.writer);
        if (Fault fault = checkWrite(word, part, clocks); fault != Fault::None)
          return fault;
        write(word, part);
        shadow.isBarrier = true;
        return Fault::None;
      });
}

Fault SharedMemory::useBarrier(const void *address, const Access &access,
                               const uint32_t *clocks) {
  return forEachBarrierWord(
      address, access, [&](uint64_t word, const Access &part) {
        Word &shadow = words[word];
        if (!shadow.isBarrier)
          return reportWord(Fault::NoBarrier, word, Access());
        if (conflicts(shadow.writer, part, clocks))
          return reportWord(Fault::Race, word, shadow.writer);
        addReader(word, part, clocks);
        return Fault::None;
      });
}

/// What is left there is not defined.
Fault SharedMemory::invalidateBarrier(const void *address, const Access &access,
                                      const uint32_t *clocks) {
  return forEachBarrierWord(
      address, access, [&](uint64_t word, const Access &part) {
        Word &shadow = words[word];
        if (!shadow.isBarrier)
          return reportWord(Fault::NoBarrier, word, Access());
        if (Fault fault = checkWrite(word, part, clocks); fault != Fault::None)
          return fault;
        write(word, part);
        shadow.isBarrier = false;
        shadow.written &= ~part.bytes;
        return Fault::None;
      });
}
