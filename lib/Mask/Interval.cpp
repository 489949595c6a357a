//===- Interval.cpp - Sorted sets of integer ranges -----------------------===//

#include "SparseAttn/Mask/Interval.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::ArrayRef;
using llvm::SmallVector;

IntervalSet::IntervalSet(Range range) {
  if (!range.empty())
    sorted.push_back(range);
}

/// Adds `range`, whose begin is not before that of any range of `sorted`.
static void appendSorted(SmallVector<Range, 4> &sorted, Range range) {
  if (range.empty())
    return;
  if (!sorted.empty() && range.begin <= sorted.back().end)
    sorted.back().end = std::max(sorted.back().end, range.end);
  else
    sorted.push_back(range);
}

IntervalSet IntervalSet::fromRanges(SmallVector<Range> ranges) {
  auto before = [](Range a, Range b) { return a.begin < b.begin; };
  // Most callers list their ranges in order already.
  if (!llvm::is_sorted(ranges, before))
    llvm::sort(ranges, before);
  IntervalSet result;
  for (Range range : ranges)
    appendSorted(result.sorted, range);
  return result;
}

int64_t IntervalSet::size() const {
  int64_t sum = 0;
  for (Range range : sorted)
    sum += range.size();
  return sum;
}

/// The first range that ends after x.
static const Range *findEndingAfter(ArrayRef<Range> sorted, int64_t x) {
  return llvm::partition_point(sorted, [x](Range r) { return r.end <= x; });
}

bool IntervalSet::covers(Range range) const {
  if (range.empty())
    return true;
  // The ranges are not adjacent, so that one of them must do it alone.
  const Range *it = findEndingAfter(sorted, range.begin);
  return it != ranges().end() && it->begin <= range.begin &&
         range.end <= it->end;
}

IntervalSet IntervalSet::unite(const IntervalSet &other) const {
  IntervalSet result;
  const Range *a = ranges().begin(), *aEnd = ranges().end();
  const Range *b = other.ranges().begin(), *bEnd = other.ranges().end();
  while (a != aEnd || b != bEnd) {
    bool takeA = b == bEnd || (a != aEnd && a->begin <= b->begin);
    appendSorted(result.sorted, takeA ? *a++ : *b++);
  }
  return result;
}

IntervalSet IntervalSet::intersect(const IntervalSet &other) const {
  IntervalSet result;
  const Range *a = ranges().begin(), *aEnd = ranges().end();
  const Range *b = other.ranges().begin(), *bEnd = other.ranges().end();
  while (a != aEnd && b != bEnd) {
    Range common = a->intersect(*b);
    if (!common.empty())
      result.sorted.push_back(common);
    if (a->end < b->end)
      ++a;
    else
      ++b;
  }
  return result;
}

IntervalSet IntervalSet::complementIn(Range universe) const {
  IntervalSet result;
  int64_t begin = universe.begin;
  const Range *it = findEndingAfter(sorted, begin);
  for (; it != ranges().end() && it->begin < universe.end; ++it) {
    if (begin < it->begin)
      result.sorted.push_back({begin, it->begin});
    begin = it->end;
  }
  if (begin < universe.end)
    result.sorted.push_back({begin, universe.end});
  return result;
}
