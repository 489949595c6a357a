//===- RowCounter.cpp - Live keys of a row, counted -----------------------===//

#include "RowCounter.h"
#include "CountMatching.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::SmallVector;
using llvm::SmallVectorImpl;

uint64_t RowCounter::countResidues(int64_t i) {
  SmallVector<Range> denseRanges(dense.begin(), dense.end());
  IntervalSet filled = IntervalSet::fromRanges(std::move(denseRanges));
  cuts.clear();
  for (auto &[range, residues] : sparse) {
    cuts.push_back(range.begin);
    cuts.push_back(range.end);
  }
  llvm::sort(cuts);
  cuts.erase(llvm::unique(cuts), cuts.end());
  uint64_t count = filled.size();
  SmallVector<Residues, 4> active;
  for (size_t k = 0; k + 1 < cuts.size(); ++k) {
    Range elementary{cuts[k], cuts[k + 1]};
    active.clear();
    for (auto &[range, residues] : sparse)
      if (range.contains(elementary.begin))
        active.push_back(residues);
    if (active.empty())
      continue;
    IntervalSet gaps = filled.complementIn(elementary);
    for (Range gap : gaps.ranges())
      count += countMatching(active, i, gap);
  }
  return count;
}

uint64_t RowCounter::countRow(int64_t i) {
  dense.clear();
  sparse.clear();
  for (const LinearPiece &piece : pieces) {
    Range range = piece.keys(i);
    if (range.empty())
      continue;
    bool off = false, ofKeys = false;
    for (const Residue &residue : piece.residues) {
      bool ofQuery = residue.subject == Residue::Subject::Query;
      off |= ofQuery && !residue.holds(i, 0);
      ofKeys |= !ofQuery;
    }
    if (off)
      continue;
    if (ofKeys)
      sparse.push_back({range, piece.residues});
    else
      dense.push_back(range);
  }
  if (!sparse.empty())
    return countResidues(i);
  llvm::sort(dense, [](Range a, Range b) { return a.begin < b.begin; });
  uint64_t count = 0;
  int64_t end = 0;
  for (Range range : dense) {
    count += Range{std::max(range.begin, end), range.end}.size();
    end = std::max(end, range.end);
  }
  return count;
}

uint64_t RowCounter::countOrderedRows(Range rows, int64_t period) {
  uint64_t count = 0;
  if (rows.size() <= 2 * period) {
    for (int64_t i = rows.begin; i < rows.end; ++i)
      count += countRow(i);
    return count;
  }
  // From row i to row i + period each elementary range moves its ends by 0 or
  // a period, which adds the same number of keys every time: along the rows
  // i, i + period, ... the counts are an arithmetic progression.
  for (int64_t c = 0; c < period; ++c) {
    uint64_t steps = (rows.size() - c + period - 1) / period;
    int64_t first = rows.begin + c;
    uint64_t ends = countRow(first) + countRow(first + (steps - 1) * period);
    // sum = steps * (first + last) / 2; the product is even.
    count += steps % 2 ? steps * (ends / 2) : steps / 2 * ends;
  }
  return count;
}

uint64_t RowCounter::countRows(Range rows) {
  SmallVector<int64_t, 8> diagonals, constants;
  int64_t period = 1;
  for (const LinearPiece &piece : pieces) {
    diagonals.append({piece.lowerDiagonal, piece.upperDiagonal});
    constants.append({piece.lowerConstant, piece.upperConstant});
    for (const Residue &residue : piece.residues)
      period = clampedLcm(period, residue.modulus);
  }
  auto makeUnique = [](SmallVectorImpl<int64_t> &values) {
    llvm::sort(values);
    values.erase(llvm::unique(values), values.end());
  };
  makeUnique(diagonals);
  makeUnique(constants);
  // i + diagonal passes the constant at i = constant - diagonal.
  SmallVector<int64_t, 32> turns{rows.begin, rows.end};
  for (int64_t diagonal : diagonals)
    if (std::abs(diagonal) < positionLimit)
      for (int64_t constant : constants)
        if (Range{rows.begin + 1, rows.end}.contains(constant - diagonal))
          turns.push_back(constant - diagonal);
  makeUnique(turns);
  uint64_t count = 0;
  for (size_t k = 0; k + 1 < turns.size(); ++k)
    count += countOrderedRows({turns[k], turns[k + 1]}, period);
  return count;
}
