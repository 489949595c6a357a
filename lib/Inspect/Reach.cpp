//===- Reach.cpp - How far information travels in L layers ----------------===//

#include "SparseAttn/Inspect/Reach.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/ErrorHandling.h"
#include <algorithm>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspection;
using namespace mlir::sparse_attn::mask;

llvm::StringRef inspection::toString(ReachKind kind) {
  switch (kind) {
  case ReachKind::Full:
    return "full";
  case ReachKind::Causal:
    return "causal";
  case ReachKind::Never:
    return "never";
  }
  llvm_unreachable("all kinds handled");
}

double Reach::fractionAfter(int64_t layers) const {
  if (fractions.empty())
    return 0;
  int64_t last = static_cast<int64_t>(fractions.size()) - 1;
  return fractions[std::clamp<int64_t>(layers, 0, last)];
}

/// The units, blocks of `granularity` positions, that unit `unit` sees in one
/// layer.
static IntervalSet findNeighbours(const Mask &mask, int64_t n, int64_t numHeads,
                                  int64_t granularity, int64_t unit) {
  Lengths lengths{n, n};
  Range rows{unit * granularity, std::min((unit + 1) * granularity, n)};
  int64_t heads = mask.isHeadInvariant() ? 1 : numHeads;
  llvm::SmallVector<Range> ranges;
  for (int64_t head = 0; head < heads; ++head) {
    IntervalSet keys = liveKeysOfRows(mask, lengths, head, rows);
    for (Range range : keys.ranges())
      ranges.push_back({range.begin / granularity,
                        (range.end + granularity - 1) / granularity});
  }
  return IntervalSet::fromRanges(std::move(ranges));
}

namespace {
/// The sets R_L of all units as rows of bits.
class ReachSets {
public:
  ReachSets(std::vector<IntervalSet> neighbours)
      : size(neighbours.size()), words((size + 63) / 64),
        neighbours(std::move(neighbours)), bits(size * words), counts(size, 1),
        grew(size, true) {
    for (int64_t i = 0; i < size; ++i)
      row(bits, i)[i / 64] |= uint64_t(1) << (i % 64);
    looksAhead = llvm::any_of(llvm::seq(size), [&](int64_t i) {
      const IntervalSet &keys = this->neighbours[i];
      return !keys.empty() && keys.ranges().back().end > i + 1;
    });
  }

  /// Goes from R_{L-1} to R_L; false when nothing changed.
  bool step() {
    std::vector<uint64_t> next = bits;
    std::vector<char> grewNext(size, false);
    for (int64_t i = 0; i < size; ++i) {
      if (counts[i] == target(i) || !mergeNeighbours(next, i))
        continue;
      int64_t count = 0;
      for (int64_t w = 0; w < words; ++w)
        count += llvm::popcount(row(next, i)[w]);
      grewNext[i] = count != counts[i];
      counts[i] = count;
    }
    bits = std::move(next);
    grew = std::move(grewNext);
    return llvm::is_contained(grew, true);
  }

  bool isComplete() const {
    return llvm::all_of(llvm::seq(size),
                        [&](int64_t i) { return counts[i] == target(i); });
  }
  double fraction() const {
    double reached = 0, all = 0;
    for (int64_t i = 0; i < size; ++i) {
      reached += counts[i];
      all += target(i);
    }
    return reached / all;
  }
  bool isLookingAhead() const { return looksAhead; }

private:
  uint64_t *row(std::vector<uint64_t> &matrix, int64_t i) const {
    return matrix.data() + i * words;
  }
  int64_t target(int64_t i) const { return looksAhead ? size : i + 1; }

  /// Adds to row i of `next` the sets of the neighbours that grew in the last
  /// step (the others are in it already); false when none did.
  bool mergeNeighbours(std::vector<uint64_t> &next, int64_t i) {
    bool merged = false;
    uint64_t *out = row(next, i);
    for (Range range : neighbours[i].ranges())
      for (int64_t k = range.begin; k < range.end; ++k) {
        if (!grew[k])
          continue;
        merged = true;
        const uint64_t *in = row(bits, k);
        for (int64_t w = 0; w < words; ++w)
          out[w] |= in[w];
      }
    return merged;
  }

  int64_t size, words;
  std::vector<IntervalSet> neighbours;
  std::vector<uint64_t> bits;
  std::vector<int64_t> counts;
  std::vector<char> grew;
  bool looksAhead = false;
};
} // namespace

Reach inspection::computeReach(const Mask &mask, int64_t n, int64_t numHeads,
                               int64_t maxUnits) {
  Reach result;
  result.granularity = std::max<int64_t>(1, (n + maxUnits - 1) / maxUnits);
  int64_t units = (n + result.granularity - 1) / result.granularity;
  std::vector<IntervalSet> neighbours;
  neighbours.reserve(units);
  for (int64_t unit = 0; unit < units; ++unit)
    neighbours.push_back(
        findNeighbours(mask, n, numHeads, result.granularity, unit));

  ReachSets sets(std::move(neighbours));
  result.looksAhead = sets.isLookingAhead();
  result.fractions.push_back(sets.fraction());
  while (!sets.isComplete() && sets.step())
    result.fractions.push_back(sets.fraction());
  if (sets.isComplete()) {
    result.kind = result.looksAhead ? ReachKind::Full : ReachKind::Causal;
    result.layers = static_cast<int64_t>(result.fractions.size()) - 1;
  }
  return result;
}
