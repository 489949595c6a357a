//===- RandomPlans.h - Cases of the fuzz tests of plans ---------*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_PLAN_RANDOMPLANS_H
#define SPARSEATTN_TEST_UNIT_PLAN_RANDOMPLANS_H

#include "PlanOracle.h"
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace mlir::sparse_attn::plan_test {

using Rng = std::mt19937_64;

inline int64_t pick(Rng &rng, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(rng);
}

inline Lengths randomLengths(Rng &rng, int64_t longest) {
  int64_t nk = pick(rng, 1, longest);
  int64_t nq = pick(rng, 0, 2) ? nk : pick(rng, 1, longest);
  return {nq, nk};
}

/// Tile sizes from degenerate to larger than the sequence.
inline TileShape randomTile(Rng &rng) {
  return {pick(rng, 1, 12), pick(rng, 1, 12)};
}

inline LengthFacts randomFacts(Rng &rng, const Lengths &n) {
  LengthFacts facts;
  if (pick(rng, 0, 1))
    facts.nq = n.nq;
  if (pick(rng, 0, 1))
    facts.nk = n.nk;
  return facts;
}

/// An assumption that holds for `n`.
inline LengthAssumption randomAssumption(Rng &rng, const Lengths &n) {
  auto divisorOf = [&](int64_t number) {
    std::vector<int64_t> divisors;
    for (int64_t d = 1; d <= number; ++d)
      if (number % d == 0)
        divisors.push_back(d);
    return divisors[pick(rng, 0, int64_t(divisors.size()) - 1)];
  };
  LengthAssumption assumption;
  int64_t offset = std::abs(n.nk - n.nq);
  if (pick(rng, 0, 1))
    assumption.offsetMultiple =
        offset == 0 ? pick(rng, 0, 8) : divisorOf(offset);
  if (pick(rng, 0, 1))
    assumption.keysMultiple = divisorOf(n.nk);
  return assumption;
}

/// Lengths of which the assumption holds.
inline Lengths randomLengths(Rng &rng, int64_t longest,
                             const LengthAssumption &assumption) {
  Lengths n = {1, 1};
  do
    n = randomLengths(rng, longest);
  while (!assumption.holds(n));
  return n;
}

inline std::string describe(const Mask &mask, const Plan &plan,
                            const Lengths &n) {
  return textOf(mask) + "\n" + textOf(plan) + "nq=" + std::to_string(n.nq) +
         " nk=" + std::to_string(n.nk);
}

} // namespace mlir::sparse_attn::plan_test

#endif // SPARSEATTN_TEST_UNIT_PLAN_RANDOMPLANS_H
