//===- PartsOracle.h - Plans of parts, checked pair by pair -----*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_PLAN_PARTSORACLE_H
#define SPARSEATTN_TEST_UNIT_PLAN_PARTSORACLE_H

#include "RandomPlans.h"
#include "SparseAttn/Plan/PlanParts.h"

namespace mlir::sparse_attn::plan_test {

/// How often the parts of `plan` compute the pair of `row` and key `j`, where a
/// row of a later class of the last part is computed by that one alone.
int timesComputedByParts(const Plan &plan, const Lengths &n, int64_t row,
                         int64_t j);

/// What is wrong with a plan of parts at lengths `n`, or an empty text.
std::string findViolationOfParts(const Mask &mask, const Plan &plan,
                                 const Lengths &n);

/// Dilated windows and strides among other members, causal or not.
Mask randomStridedMask(Rng &rng);

/// A plan of parts wherever one can be made, for a random tile.
inline Plan planParts(const Mask &mask, Rng &rng, const LengthFacts &facts,
                      KeyLayouts layouts = KeyLayouts::Contiguous) {
  TileShape tile = randomTile(rng);
  auto chooseTile = [&](const Mask &, const LengthFacts &) { return tile; };
  return makePlanOfParts(mask, chooseTile, facts,
                         {layouts, RowLayouts::Contiguous, 0});
}

} // namespace mlir::sparse_attn::plan_test

#endif // SPARSEATTN_TEST_UNIT_PLAN_PARTSORACLE_H
