//===- PlanOracle.h - Plans checked pair by pair ----------------*- C++ -*-===//
//
// The invariants of a plan, evaluated by their definition at small lengths.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TEST_UNIT_PLAN_PLANORACLE_H
#define SPARSEATTN_TEST_UNIT_PLAN_PLANORACLE_H

#include "SparseAttn/Plan/Plan.h"
#include "llvm/Support/raw_ostream.h"
#include <random>
#include <string>

namespace mlir::sparse_attn::plan_test {

using namespace mask;
using namespace plan;

/// What is wrong with `plan` at lengths `n`, or an empty text.
std::string findViolation(const Mask &mask, const Plan &plan, const Lengths &n,
                          int64_t numHeads);

/// How often a class without draws computes the pair of `row` and key `j`; -1
/// stands for the slots past the end of a list.
int timesComputed(const Mask &mask, const Plan &plan, const RowClass &cls,
                  const Lengths &n, int64_t head, int64_t row, int64_t j);

/// The query tile of a class with a table that has the row, which is one of the
/// class.
int64_t tileOfTable(const TileTable &table, int64_t row);

/// How many tiles of a table hold key j in that query tile, full ones or all.
int timesVisited(const RowClass &cls, const TileShape &tile, int64_t q,
                 int64_t j, bool fullOnly);

bool hasRow(const RowClass &cls, int64_t row, const Lengths &n);
/// The query tile of a row that the class has.
int64_t queryTileOf(const RowClass &cls, const TileShape &tile, int64_t row,
                    const Lengths &n);
/// The class that row `row` belongs to, or null.
const RowClass *ownerOf(const Plan &plan, int64_t row, const Lengths &n);

/// The number of visited tiles without a live pair, over the rows of their
/// class.
int64_t countUselessTiles(const Mask &mask, const Plan &plan, const Lengths &n,
                          int64_t numHeads);

/// A composition of at most `depth` levels of combinators.
Mask randomPlanMask(std::mt19937_64 &rng, unsigned depth, bool allowOpaque);

/// A union of that many rectangles and pieces of windows, which is too long for
/// closed forms where they are many, for sequences of about `length`.
Mask randomPatches(std::mt19937_64 &rng, int64_t count, int64_t length);

/// Rows and keys of 0 <= i - rows.begin < rows.size(), likewise of j.
Mask rectangle(Range rows, Range keys);

/// Columns of keys beside windows and chunks, causal or not.
Mask randomColumnsMask(std::mt19937_64 &rng);

/// Rows of tokens and of periods beside all that.
Mask randomRowsMask(std::mt19937_64 &rng);

/// Adds to `mask` rows that see all keys, and to `plan`, one of `mask`, a class
/// for them: tokens in a list, or rows of a period.
void addScatteredRows(std::mt19937_64 &rng, Mask &mask, Plan &plan,
                      const Lengths &n);

/// With a table where the planner would have one.
Plan makeAnyPlan(const Mask &mask, TileShape tile, const LengthFacts &facts,
                 llvm::SmallVectorImpl<PlanLoss> *losses = nullptr);

inline LengthFacts known(int64_t nq, int64_t nk) {
  LengthFacts facts;
  facts.nq = nq;
  facts.nk = nk;
  return facts;
}

inline std::string textOf(const Mask &mask) {
  std::string text;
  llvm::raw_string_ostream os(text);
  mask.print(os);
  return text;
}

inline std::string textOf(const Plan &plan) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printPlan(plan, os);
  return text;
}

/// BigBird as in PATTERNS, with a last block of `last` keys.
Mask bigBird(int64_t block, int64_t windowBlocks, int64_t randomBlocks,
             uint64_t seed, int64_t last);
Mask longformer(int64_t window, llvm::ArrayRef<int64_t> tokens);
Mask streaming(int64_t sinks, int64_t window);

} // namespace mlir::sparse_attn::plan_test

#endif // SPARSEATTN_TEST_UNIT_PLAN_PLANORACLE_H
