//===- MutatePlan.h - Small changes of plans --------------------*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_PROOF_MUTATEPLAN_H
#define SPARSEATTN_TEST_UNIT_PROOF_MUTATEPLAN_H

#include "../Plan/RandomPlans.h"

namespace mlir::sparse_attn::plan_test {

/// A bound moves by one or is lost, or a piece is.
inline void mutatePairs(Rng &rng, Pieces &pieces) {
  if (pieces.empty()) {
    pieces.push_back(Piece());
    return;
  }
  unsigned index = pick(rng, 0, pieces.size() - 1);
  Piece &piece = pieces[index];
  for (auto *bounds : {&piece.lower, &piece.upper}) {
    if (bounds->empty() || pick(rng, 0, 1))
      continue;
    if (pick(rng, 0, 2) == 0)
      bounds->pop_back();
    else
      bounds->back().offset += pick(rng, 0, 1) ? 1 : -1;
    return;
  }
  if (pick(rng, 0, 1))
    pieces.erase(pieces.begin() + index);
  else
    piece.residues.clear();
}

/// A small change of the plan.
inline void mutate(Rng &rng, Plan &plan) {
  RowClass &cls = plan.classes[pick(rng, 0, plan.classes.size() - 1)];
  if (!cls.draws.empty() && pick(rng, 0, 2) == 0) {
    Draw &draw = cls.draws[pick(rng, 0, cls.draws.size() - 1)];
    draw.full = !draw.full;
    return;
  }
  if (cls.segments.empty() || pick(rng, 0, 9) == 0) {
    (pick(rng, 0, 1) ? cls.rowBegin : cls.rowEnd) =
        pick(rng, 0, 1) ? cls.rowEnd - 1 : cls.rowBegin + 1;
    return;
  }
  unsigned index = pick(rng, 0, cls.segments.size() - 1);
  Segment &segment = cls.segments[index];
  if (segment.where && pick(rng, 0, 1)) {
    mutatePairs(rng, *segment.where);
    return;
  }
  switch (pick(rng, 0, 7)) {
  case 0:
    segment.begin = segment.begin + 1;
    return;
  case 1:
    segment.begin = segment.begin - 1;
    return;
  case 2:
    segment.end = segment.end + 1;
    return;
  case 3:
    segment.end = segment.end - 1;
    return;
  case 4:
    segment.full = !segment.full;
    return;
  case 5:
    segment.when = pick(rng, 0, 1)
                       ? segment.when - 1
                       : TileExpr::numQueries() * 2 - TileExpr::numKeys();
    return;
  case 6:
    cls.segments.erase(cls.segments.begin() + index);
    return;
  default: {
    Segment copy = segment;
    cls.segments.push_back(copy);
    return;
  }
  }
}

} // namespace mlir::sparse_attn::plan_test

#endif // SPARSEATTN_TEST_UNIT_PROOF_MUTATEPLAN_H
