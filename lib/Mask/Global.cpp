//===- Global.cpp - Global tokens -----------------------------------------===//

#include "ClosedForm.h"
#include "Integer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::ArrayRef;
using llvm::SmallVector;

namespace {

struct GlobalTokens {
  SmallVector<int64_t> tokens;
  int64_t first, last;
  Mask::Direction direction;

  bool contains(int64_t n, int64_t x) const {
    return x >= 0 && x < n &&
           (x < first || x >= n - last || llvm::is_contained(tokens, x) ||
            llvm::is_contained(tokens, x - n));
  }

  /// The positions counted from 0, or those from N: the range [-2, 0) is the
  /// last two.
  IntervalSet positions(bool fromEnd) const {
    SmallVector<Range> ranges;
    for (int64_t token : tokens)
      if (fromEnd == (token < 0))
        ranges.push_back({token, token + 1});
    ranges.push_back(fromEnd ? Range{-last, 0} : Range{0, first});
    llvm::erase_if(ranges, [](Range range) { return range.empty(); });
    return IntervalSet::fromRanges(std::move(ranges));
  }

  /// One piece for all rows, and one for all columns, that are counted from 0,
  /// and likewise from N.
  Pieces pieces() const {
    Pieces rows, columns;
    for (bool fromEnd : {false, true}) {
      IntervalSet set = positions(fromEnd);
      if (set.empty())
        continue;
      auto shared = std::make_shared<const IntervalSet>(std::move(set));
      Piece row, column;
      row.sets.push_back({/*ofKey=*/false, fromEnd, shared});
      // Where Sq > Sk there are rows before position 0, and N + t may be one.
      if (fromEnd)
        row.rowLower.push_back(Bound::constant(0));
      rows.push_back(row);
      column.sets.push_back({/*ofKey=*/true, fromEnd, shared});
      columns.push_back(column);
    }
    Pieces result;
    if (direction != Mask::Direction::Columns)
      result.append(rows);
    if (direction != Mask::Direction::Rows)
      result.append(columns);
    return result;
  }
};

class Global : public ClosedForm {
public:
  explicit Global(GlobalTokens set)
      : ClosedForm(set.pieces()), set(std::move(set)) {}

  bool contains(const Lengths &n, int64_t, int64_t i,
                int64_t j) const override {
    return (set.direction != Mask::Direction::Columns &&
            set.contains(n.nk, i)) ||
           (set.direction != Mask::Direction::Rows && set.contains(n.nk, j));
  }

  Mask transpose() const override {
    GlobalTokens other = set;
    if (set.direction == Mask::Direction::Rows)
      other.direction = Mask::Direction::Columns;
    else if (set.direction == Mask::Direction::Columns)
      other.direction = Mask::Direction::Rows;
    return Mask(std::make_shared<Global>(std::move(other)));
  }

  void print(llvm::raw_ostream &os) const override {
    os << "global(";
    llvm::StringRef separator = "";
    auto next = [&](llvm::StringRef name) -> llvm::raw_ostream & {
      os << separator << name << '=';
      separator = ", ";
      return os;
    };
    if (!set.tokens.empty() || (!set.first && !set.last)) {
      next("tokens") << '[';
      llvm::interleaveComma(set.tokens, os);
      os << ']';
    }
    if (set.first)
      next("first") << set.first;
    if (set.last)
      next("last") << set.last;
    if (set.direction == Mask::Direction::Rows)
      next("direction") << "rows";
    else if (set.direction == Mask::Direction::Columns)
      next("direction") << "columns";
    os << ')';
  }

private:
  GlobalTokens set;
};

} // namespace

Mask Mask::global(ArrayRef<int64_t> tokens, int64_t first, int64_t last,
                  Direction direction) {
  GlobalTokens set;
  // No sequence is so long that a token beyond the limit exists. Plans multiply
  // these numbers, so that they must not be larger than they need to be.
  for (int64_t token : tokens)
    if (-maxSequenceLength < token && token < maxSequenceLength)
      set.tokens.push_back(token);
  set.first = std::clamp<int64_t>(first, 0, maxSequenceLength);
  set.last = std::clamp<int64_t>(last, 0, maxSequenceLength);
  set.direction = direction;
  return Mask(std::make_shared<Global>(std::move(set)));
}
