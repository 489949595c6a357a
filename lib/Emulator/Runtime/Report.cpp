//===- Report.cpp - What an error says ------------------------------------===//

#include "Block.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>

using namespace mlir::sparse_attn::emulator;

static std::string formatTriple(const uint32_t *triple) {
  return llvm::formatv("({0}, {1}, {2})", triple[0], triple[1], triple[2]);
}

std::string Block::nameThread(const Thread &thread) const {
  return "thread " + formatTriple(thread.position);
}

const char *Block::nameOperation(uint32_t operation) const {
  return launch.kernel->operations + operation;
}

std::string Block::headline(llvm::StringRef what) const {
  return llvm::formatv("{0} in kernel '{1}', block {2}", what,
                       launch.kernel->name, formatTriple(position));
}

void Block::setReport(const Thread &thread, uint32_t operation,
                      std::string what) {
  if (report.empty())
    report = llvm::formatv("{0}\n  {1} {2}\n    {3}", headline("error"),
                           nameThread(thread), what, nameOperation(operation));
}

/// "0-31, 40"
static std::string formatRanges(llvm::ArrayRef<unsigned> sorted) {
  std::string text;
  for (size_t i = 0; i < sorted.size();) {
    size_t last = i;
    while (last + 1 < sorted.size() && sorted[last + 1] == sorted[last] + 1)
      ++last;
    text += (text.empty() ? "" : ", ") + std::to_string(sorted[i]);
    if (last > i)
      text += "-" + std::to_string(sorted[last]);
    i = last + 1;
  }
  return text;
}

void Block::reportDeadlock() {
  std::map<std::pair<std::string, uint32_t>, llvm::SmallVector<unsigned>> at;
  unsigned numExited = 0;
  for (const Thread &thread : threads)
    if (thread.fiber.isFinished())
      ++numExited;
    else
      at[{thread.waitsIn, thread.operation}].push_back(thread.index);
  report = headline("deadlock");
  for (const auto &[where, who] : at)
    report +=
        llvm::formatv("\n  threads {0} wait in {1}\n    {2}", formatRanges(who),
                      where.first, nameOperation(where.second));
  for (const MBarrier &mbarrier : mbarriers)
    if (!mbarrier.waiting.empty())
      report += llvm::formatv(
          "\n  phase {0} of an mbarrier lacks {1} of {2} arrivals\n    {3}",
          mbarrier.phase, mbarrier.pending, mbarrier.expected,
          nameOperation(mbarrier.operation));
  if (numExited)
    report += llvm::formatv("\n  {0} threads have exited", numExited);
}

static llvm::StringRef nameMode(uint32_t mode, bool past) {
  if (mode & kAtomic)
    return past ? "updated" : "updates";
  if (mode & kWrite)
    return past ? "wrote" : "writes";
  return past ? "read" : "reads";
}

static std::string headlineOf(Fault fault, llvm::StringRef space) {
  switch (fault) {
  case Fault::OutOfBounds:
    return llvm::formatv("access outside of {0} memory", space);
  case Fault::Misaligned:
    return llvm::formatv("misaligned access to {0} memory", space);
  case Fault::Unwritten:
    return llvm::formatv("read of {0} memory that nobody has written", space);
  case Fault::InFlight:
    return llvm::formatv(
        "access to {0} memory that an asynchronous copy still writes", space);
  case Fault::Race:
    return llvm::formatv("race in {0} memory", space);
  case Fault::NoBarrier:
    return "use of an mbarrier that is not initialised";
  case Fault::HoldsBarrier:
    return llvm::formatv("access to {0} memory that holds an mbarrier", space);
  case Fault::BarrierInUse:
    return "initialisation of an mbarrier that is in use";
  case Fault::None:
    break;
  }
  return "error";
}

void Block::reportFinding(const Thread &thread, const Finding &finding,
                          uint32_t bytes, uint32_t alignment, uint32_t mode,
                          uint32_t operation, bool isShared) {
  if (!report.empty())
    return;
  report = headline(headlineOf(finding.fault, isShared ? "shared" : "global"));
  report += llvm::formatv("\n  {0} {1} {2} bytes", nameThread(thread),
                          nameMode(mode, /*past=*/false), bytes);
  if (finding.extent)
    report += llvm::formatv(", at byte {0} of {1} of {2}", finding.offset,
                            isShared ? "a variable" : "an allocation",
                            finding.extent);
  else
    report += ", at an address that is in no allocation";
  if (finding.fault == Fault::Misaligned)
    report += llvm::formatv(", not at a multiple of {0}", alignment);
  report += std::string("\n    ") + nameOperation(operation);
  if (finding.fault == Fault::NoBarrier || !finding.other.clock)
    return;
  report += "\n  " + describeOther(finding, isShared);
  report += std::string("\n    ") + nameOperation(finding.other.operation);
}

/// Whom an access collides with.
std::string Block::describeOther(const Finding &finding, bool isShared) const {
  const Access &other = finding.other;
  if (!isShared && finding.otherBlock != order.block) {
    uint32_t block = finding.otherBlock;
    uint32_t at[] = {block % launch.grid[0],
                     block / launch.grid[0] % launch.grid[1],
                     block / launch.grid[0] / launch.grid[1]};
    return llvm::formatv("block {0}, {1} {2} there", formatTriple(at),
                         nameThread(threads[other.thread]),
                         nameMode(other.mode, /*past=*/true));
  }
  if (other.thread >= threads.size())
    return "a copy has written there, and nothing orders the access behind the "
           "phase of the mbarrier that the copy arrived at";
  std::string who = nameThread(threads[other.thread]);
  switch (finding.fault) {
  case Fault::InFlight:
    return who + " started the copy and has not waited for it";
  case Fault::HoldsBarrier:
  case Fault::BarrierInUse:
    return who + " initialised the mbarrier";
  default:
    return llvm::formatv("{0} {1} there, and nothing orders the two", who,
                         nameMode(other.mode, /*past=*/true));
  }
}
