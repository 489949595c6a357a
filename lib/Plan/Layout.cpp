//===- Layout.cpp - Which positions the slots of tiles hold ---------------===//

#include "SparseAttn/Plan/Layout.h"
#include "SparseAttn/Mask/Mask.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

/// A plan may write down no more runs than this: a longer list is a lattice, or
/// a mask that a plan is not the place for.
static constexpr int64_t maxListSlots = 65536;

std::optional<int64_t> Layout::numSlots() const {
  if (kind != Kind::List)
    return std::nullopt;
  return static_cast<int64_t>(starts.size()) * width;
}

int64_t Layout::position(int64_t slot) const {
  switch (kind) {
  case Kind::Contiguous:
    return slot;
  case Kind::Lattice:
    return shift + slot / width * step + slot % width;
  case Kind::List:
    return starts[slot / width] + slot % width;
  }
  llvm_unreachable("all kinds handled");
}

int64_t Layout::slotsBelow(int64_t end) const {
  if (kind == Kind::Contiguous)
    return std::max<int64_t>(0, end);
  if (kind == Kind::Lattice) {
    if (end <= shift)
      return 0;
    int64_t runs = (end - shift) / step;
    return runs * width + std::min(width, (end - shift) % step);
  }
  // The runs that begin below `end`, of which the last may reach past it.
  int64_t runs = llvm::lower_bound(starts, end) - starts.begin();
  if (runs == 0)
    return 0;
  return (runs - 1) * width + std::min(width, end - starts[runs - 1]);
}

std::optional<int64_t> Layout::slotAt(int64_t place) const {
  int64_t slot = slotsBelow(place);
  if (place < 0 || slotsBelow(place + 1) == slot)
    return std::nullopt;
  return slot;
}

static std::string inRange(llvm::StringRef what, int64_t least, int64_t value) {
  if (least <= value && value <= maxSequenceLength)
    return {};
  return (what + " must be from " + llvm::Twine(least) + " to " +
          llvm::Twine(maxSequenceLength) + ", got " + llvm::Twine(value))
      .str();
}

std::string Layout::findProblem() const {
  if (kind == Kind::Contiguous)
    return {};
  if (std::string problem = inRange("the width of runs", 1, width);
      !problem.empty())
    return problem;
  if (kind == Kind::Lattice) {
    std::string problem = inRange("the step of a lattice", 1, step);
    if (problem.empty())
      problem = inRange("the shift of a lattice", 0, shift);
    if (problem.empty() && width > step)
      problem = "runs of width " + std::to_string(width) +
                " overlap at a step of " + std::to_string(step) +
                "; a width is at most the step";
    return problem;
  }
  if (starts.empty())
    return "a list needs at least one position";
  if (static_cast<int64_t>(starts.size()) > maxListSlots / width)
    return "a list has at most " + std::to_string(maxListSlots) +
           " positions, got " + std::to_string(starts.size()) +
           " runs of width " + std::to_string(width);
  for (size_t k = 0; k < starts.size(); ++k) {
    if (std::string problem =
            inRange("entry " + std::to_string(k) + " of a list", 0, starts[k]);
        !problem.empty())
      return problem;
    if (k > 0 && starts[k] < starts[k - 1] + width)
      return "entry " + std::to_string(k) + " of a list, " +
             std::to_string(starts[k]) + ", " +
             (starts[k] < starts[k - 1] ? "is less than" : "overlaps") +
             " the run of width " + std::to_string(width) + " at " +
             std::to_string(starts[k - 1]) +
             "; a list is sorted, and its runs do not overlap";
  }
  return {};
}

void Layout::print(llvm::raw_ostream &os) const {
  switch (kind) {
  case Kind::Contiguous:
    os << "contiguous";
    return;
  case Kind::Lattice:
    os << "lattice<step = " << step << ", width = " << width
       << ", shift = " << shift;
    break;
  case Kind::List:
    os << "list<[";
    llvm::interleaveComma(starts, os);
    os << "], width = " << width;
    break;
  }
  os << ", tile = " << tile << '>';
}

llvm::hash_code plan::hash_value(const Layout &layout) {
  return llvm::hash_combine(
      static_cast<int>(layout.kind), layout.width, layout.step, layout.shift,
      layout.tile,
      llvm::hash_combine_range(layout.starts.begin(), layout.starts.end()));
}
