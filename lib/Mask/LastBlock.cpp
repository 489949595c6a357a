//===- LastBlock.cpp - The last block of the sequence is global -----------===//
//
// The last of the blocks of b positions starts at b * floor((N - 1) / b). With
// N unknown that is no bound of the form N + c, but it lies within the last b
// positions: so its pieces are those of global(last = b), each with the exact
// set as an opaque literal. Plans keep their closed form and visit at most one
// block too much.
//
//===----------------------------------------------------------------------===//

#include "Integer.h"
#include "SparseAttn/Mask/Mask.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

namespace {

class LastBlockNode : public MaskNode {
public:
  explicit LastBlockNode(const LastBlock &last) : last(last) {}

  bool contains(const Lengths &n, int64_t, int64_t i,
                int64_t j) const override {
    return inLastBlock(n, last.ofRows ? i : j);
  }

  IntervalSet liveKeys(const Lengths &n, int64_t, int64_t i,
                       Range keys) const override {
    if (last.ofRows)
      return inLastBlock(n, i) ? IntervalSet(keys) : IntervalSet();
    return IntervalSet(keys.intersect({begin(n), n.nk}));
  }

  std::optional<Pieces> pieces(bool negated,
                               unsigned maxPieces) const override {
    std::optional<Pieces> pieces = MaskNode::pieces(negated, maxPieces);
    if (!pieces || negated)
      return pieces;
    Piece &piece = pieces->front();
    piece.opaque.front().bounded = true;
    if (last.ofRows) {
      // Where Sq > Sk there are rows before position 0, and N - b may be one.
      piece.rowLower = {Bound::fromEnd(-last.block), Bound::constant(0)};
      piece.rowUpper = {Bound::fromEnd(0)};
    } else {
      piece.lower = {Bound::fromEnd(-last.block)};
      piece.upper = {Bound::fromEnd(0)};
    }
    return pieces;
  }

  Mask transpose() const override {
    return Mask(
        std::make_shared<LastBlockNode>(LastBlock{last.block, !last.ofRows}));
  }

  bool isHeadInvariant() const override { return true; }
  const LastBlock *getLastBlock() const override { return &last; }

  void print(llvm::raw_ostream &os) const override {
    os << "last_block(block=" << last.block
       << ", direction=" << (last.ofRows ? "rows" : "columns") << ')';
  }

private:
  int64_t begin(const Lengths &n) const {
    return (n.nk - 1) / last.block * last.block;
  }
  bool inLastBlock(const Lengths &n, int64_t x) const {
    return n.nk > 0 && x >= begin(n) && x < n.nk;
  }

  LastBlock last;
};

} // namespace

Mask Mask::lastBlock(int64_t block, Direction direction) {
  block = std::min(block, maxSequenceLength);
  Mask rows(std::make_shared<LastBlockNode>(LastBlock{block, /*ofRows=*/true}));
  Mask columns(
      std::make_shared<LastBlockNode>(LastBlock{block, /*ofRows=*/false}));
  if (direction == Direction::Rows)
    return rows;
  if (direction == Direction::Columns)
    return columns;
  return unionOf({rows, columns});
}
