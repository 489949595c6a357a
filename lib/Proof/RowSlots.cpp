//===- RowSlots.cpp - Rows that stand where a layout says -----------------===//
//
// The slot of a row is a term of its position i: of a lattice, with r = (i -
// shift) floordiv step and o = i - shift - r * step, slot r * width + o where
// r >= 0 and o < width; of a list, one alternative for each stretch of
// neighbours. As these ascend, a row is in none where it is in a gap.
//
//===----------------------------------------------------------------------===//

#include "RowSlots.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;

namespace {
/// Neighbouring positions, and the slot of the first of them.
struct Stretch {
  Range positions;
  int64_t slot;
};

/// Where a position is beside the runs of a lattice.
struct LatticePlace {
  LatticePlace(Unknowns &x, const Linear &position, const Layout &layout) {
    Linear fromShift = position + (-layout.shift);
    run = x.problem.floorDiv(fromShift, layout.step);
    place = fromShift - run * layout.step;
    slot = run * layout.width + place;
  }
  Linear run, place, slot;
};
} // namespace

static llvm::SmallVector<Stretch> stretchesOf(const Layout &layout) {
  llvm::SmallVector<Stretch> stretches;
  int64_t slot = 0;
  for (int64_t start : layout.starts) {
    if (!stretches.empty() && stretches.back().positions.end == start)
      stretches.back().positions.end += layout.width;
    else
      stretches.push_back({{start, start + layout.width}, slot});
    slot += layout.width;
  }
  return stretches;
}

static Formula isIn(const Linear &position, Range range) {
  return Formula::all(
      {Formula::lessEqual(Linear::number(range.begin), position),
       Formula::less(position, Linear::number(range.end))});
}

static Formula isIn(const Linear &position, const Stretch &stretch,
                    SlotFormula ofSlot) {
  Linear slot = position + (stretch.slot - stretch.positions.begin);
  return Formula::all({isIn(position, stretch.positions), ofSlot(slot)});
}

Formula proof::isInLattice(Unknowns &x, const Linear &position,
                           const Layout &lattice, SlotFormula isOf) {
  LatticePlace at(x, position, lattice);
  return Formula::all({Formula::nonNegative(at.run),
                       Formula::less(at.place, Linear::number(lattice.width)),
                       isOf(at.slot)});
}

Formula proof::isNotInLattice(Unknowns &x, const Linear &position,
                              const Layout &lattice, SlotFormula isNotOf) {
  LatticePlace at(x, position, lattice);
  return Formula::any(
      {Formula::less(at.run, Linear::number(0)),
       Formula::lessEqual(Linear::number(lattice.width), at.place),
       isNotOf(at.slot)});
}

Formula proof::hasRow(Unknowns &x, const Layout &layout, SlotFormula isOf) {
  if (layout.isContiguous())
    return isOf(x.row);
  if (!layout.isList())
    return isInLattice(x, x.position(), layout, isOf);
  std::vector<Formula> parts;
  Linear position = x.position();
  for (const Stretch &stretch : stretchesOf(layout))
    parts.push_back(isIn(position, stretch, isOf));
  return Formula::any(std::move(parts));
}

Formula proof::hasNoRow(Unknowns &x, const Layout &layout,
                        SlotFormula isNotOf) {
  if (layout.isContiguous())
    return isNotOf(x.row);
  if (!layout.isList())
    return isNotInLattice(x, x.position(), layout, isNotOf);
  std::vector<Formula> parts;
  Linear position = x.position();
  int64_t gap = -maxSequenceLength;
  for (const Stretch &stretch : stretchesOf(layout)) {
    parts.push_back(isIn(position, stretch, isNotOf));
    parts.push_back(isIn(position, {gap, stretch.positions.begin}));
    gap = stretch.positions.end;
  }
  parts.push_back(Formula::lessEqual(Linear::number(gap), position));
  return Formula::any(std::move(parts));
}
