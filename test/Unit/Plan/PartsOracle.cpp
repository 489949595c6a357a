//===- PartsOracle.cpp ----------------------------------------------------===//

#include "PartsOracle.h"
#include "Mask/PieceOracle.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::plan_test;

/// The queries and keys that stand at `residue`, counted one by one.
static Lengths countResidue(const Lengths &n, int64_t step, int64_t residue) {
  Lengths folded;
  for (int64_t i = n.firstQuery(); i < n.nk; ++i)
    folded.nq += test::plainMod(i, step) == residue;
  for (int64_t j = 0; j < n.nk; ++j)
    folded.nk += test::plainMod(j, step) == residue;
  return folded;
}

static int timesComputedByPart(const Part &part, bool isLast, const Lengths &n,
                               int64_t row, int64_t j) {
  int64_t i = row + n.firstQuery(), residue = test::plainMod(i, part.step);
  if (test::plainMod(j, part.step) != residue)
    return 0;
  Lengths folded = countResidue(n, part.step, residue);
  // The number of the query, and its row: the last one is the last query's.
  int64_t number = (i - residue) / part.step;
  int64_t foldedRow = number - (folded.nk - folded.nq);
  Plan plan = planOf(part, {});
  const RowClass *cls =
      isLast ? ownerOf(plan, foldedRow, folded) : &part.classes.front();
  if (!cls)
    return 0;
  return timesComputed(Mask::ofPieces(part.pairs), plan, *cls, folded,
                       /*head=*/0, foldedRow, (j - residue) / part.step);
}

int plan_test::timesComputedByParts(const Plan &plan, const Lengths &n,
                                    int64_t row, int64_t j) {
  const Part &last = plan.parts.back();
  bool isOfLast = false;
  for (const RowClass &cls : llvm::drop_begin(last.classes))
    isOfLast |= hasRow(cls, row, n);
  int times = 0;
  for (const Part &part : plan.parts)
    if (bool isLast = &part == &last; isLast || !isOfLast)
      times += timesComputedByPart(part, isLast, n, row, j);
  return times;
}

std::string plan_test::findViolationOfParts(const Mask &mask, const Plan &plan,
                                            const Lengths &n) {
  for (const Part &part : plan.parts)
    for (int64_t residue = 0; residue < part.step; ++residue) {
      Lengths folded = countResidue(n, part.step, residue);
      if (folded.nq == 0 || folded.nk == 0)
        continue;
      std::string problem = findViolation(Mask::ofPieces(part.pairs),
                                          planOf(part, {}), folded, 1);
      if (!problem.empty())
        return problem + " in residue " + std::to_string(residue) + " modulo " +
               std::to_string(part.step);
    }
  for (int64_t row = 0; row < n.nq; ++row)
    for (int64_t j = 0; j < n.nk; ++j) {
      int times = timesComputedByParts(plan, n, row, j);
      if (times != mask.contains(n, 0, row + n.firstQuery(), j))
        return "row " + std::to_string(row) + " key " + std::to_string(j) +
               " computed " + std::to_string(times) + " times";
    }
  return "";
}

Mask plan_test::randomStridedMask(Rng &rng) {
  llvm::SmallVector<Mask> members;
  for (int64_t count = pick(rng, 1, 2); count > 0; --count) {
    int64_t step = pick(rng, 2, 6);
    members.push_back(
        pick(rng, 0, 1)
            ? Mask::strided(step)
            : Mask::slidingWindow(pick(rng, 0, 4), pick(rng, 0, 4), step));
  }
  if (pick(rng, 0, 1))
    members.push_back(Mask::slidingWindow(pick(rng, 0, 5), pick(rng, 0, 5)));
  if (pick(rng, 0, 2) == 0)
    members.push_back(Mask::chunked(pick(rng, 1, 12)));
  if (pick(rng, 0, 2) == 0)
    members.push_back(Mask::global({pick(rng, 0, 9), pick(rng, -4, 9)}, 0, 0,
                                   Mask::Direction(pick(rng, 0, 2))));
  Mask mask = Mask::unionOf(members);
  return pick(rng, 0, 1) ? Mask::intersectionOf({Mask::causal(), mask}) : mask;
}
