//===- Interval.h - Sorted sets of integer ranges ---------------*- C++ -*-===//
//
// Half-open integer ranges and finite unions of them. Rows of a mask are
// interval sets of key positions; all set algebra on masks is exact on them.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_MASK_INTERVAL_H
#define SPARSEATTN_MASK_INTERVAL_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Compiler.h"
#include <cstdint>

namespace mlir::sparse_attn::mask {

/// The integers x with begin <= x < end; empty when end <= begin.
struct Range {
  int64_t begin = 0;
  int64_t end = 0;

  bool empty() const { return end <= begin; }
  int64_t size() const { return empty() ? 0 : end - begin; }
  bool contains(int64_t x) const { return begin <= x && x < end; }
  Range intersect(Range other) const {
    return {begin > other.begin ? begin : other.begin,
            end < other.end ? end : other.end};
  }
  friend bool operator==(const Range &a, const Range &b) {
    return a.begin == b.begin && a.end == b.end;
  }
};

/// A finite set of integers, kept as its sorted, disjoint, non-adjacent and
/// non-empty ranges, so that equal sets compare equal.
class IntervalSet {
public:
  IntervalSet() = default;
  /*implicit*/ IntervalSet(Range range);
  /// Ranges in any order, overlapping or not.
  static IntervalSet fromRanges(llvm::SmallVector<Range> ranges);

  llvm::ArrayRef<Range> ranges() const LLVM_LIFETIME_BOUND { return sorted; }
  bool empty() const { return sorted.empty(); }
  /// Number of integers in the set.
  int64_t size() const;
  /// True when every integer of `range` is in the set.
  bool covers(Range range) const;

  IntervalSet unite(const IntervalSet &other) const;
  IntervalSet intersect(const IntervalSet &other) const;
  /// The integers of `universe` that are not in the set.
  IntervalSet complementIn(Range universe) const;

  friend bool operator==(const IntervalSet &a, const IntervalSet &b) {
    return a.sorted == b.sorted;
  }
  friend bool operator!=(const IntervalSet &a, const IntervalSet &b) {
    return !(a == b);
  }

private:
  llvm::SmallVector<Range, 4> sorted;
};

} // namespace mlir::sparse_attn::mask

#endif // SPARSEATTN_MASK_INTERVAL_H
