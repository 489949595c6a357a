//===- KeyAxis.cpp - Key positions as slots of a layout -------------------===//
//
// Slots stand at ascending positions, so that bounds of keys are bounds of
// slots and a piece is a band of tiles in any layout. With the run r = (j -
// shift) floordiv step, the slots of a lattice below position j are
//
//   min(r * width + width, j - shift - r * (step - width)),
//
// below 0 where j is left of the first run.
//
//===----------------------------------------------------------------------===//

#include "Planner.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

using Kind = TileExpr::Kind;

static bool isExtremum(const TileExpr &expr) {
  return expr.getKind() == Kind::Min || expr.getKind() == Kind::Max;
}

static TileExpr likewise(const TileExpr &expr, const TileExpr &a,
                         const TileExpr &b) {
  return expr.getKind() == Kind::Min ? TileExpr::min(a, b)
                                     : TileExpr::max(a, b);
}

static TileExpr slotsOfLattice(const Layout &layout, const TileExpr &position) {
  TileExpr fromShift = position - layout.shift;
  if (layout.width == 1)
    return fromShift.ceilDiv(layout.step);
  TileExpr run = fromShift.floorDiv(layout.step);
  return TileExpr::min(run * layout.width + layout.width,
                       fromShift - run * (layout.step - layout.width));
}

std::optional<TileExpr> KeyAxis::slotsBelow(const TileExpr &position) const {
  if (layout.isContiguous())
    return position;
  // What grows with the position goes inside of minima and maxima.
  if (isExtremum(position)) {
    std::optional<TileExpr> a = slotsBelow(position.getLhs()),
                            b = slotsBelow(position.getRhs());
    if (!a || !b)
      return std::nullopt;
    return likewise(position, *a, *b);
  }
  if (layout.kind == Layout::Kind::Lattice)
    return slotsOfLattice(layout, position);
  std::optional<int64_t> known = position.asConstant();
  if (!known)
    return std::nullopt;
  return TileExpr::constant(layout.slotsBelow(*known));
}

TileExpr KeyAxis::limit(const TileExpr &position, bool isLower) const {
  if (std::optional<TileExpr> slots = slotsBelow(position))
    return *slots;
  if (isExtremum(position))
    return likewise(position, limit(position.getLhs(), isLower),
                    limit(position.getRhs(), isLower));
  return TileExpr::constant(isLower ? 0 : *layout.numSlots());
}

TileExpr KeyAxis::lowestSlot(const TileExpr &position) const {
  return limit(position, /*isLower=*/true);
}

TileExpr KeyAxis::highestSlot(const TileExpr &position) const {
  return limit(position, /*isLower=*/false);
}
