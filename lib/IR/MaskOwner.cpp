//===- MaskOwner.cpp - Masks that only their attribute can tell -----------===//

#include "MaskOwner.h"
#include "SparseAttn/Mask/Predicate.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

static bool hasCode(const OpaqueLiteral &literal) {
  return literal.leaf->getRandomBlocks() || literal.leaf->getLastBlock() ||
         literal.leaf->getDataFact() || literal.leaf->getOwner();
}

static bool hasCode(const mask::Predicate &predicate) {
  return llvm::all_of(predicate.pieces,
                      [](const Piece &piece) {
                        return llvm::all_of(piece.opaque,
                                            [](const OpaqueLiteral &literal) {
                                              return hasCode(literal);
                                            });
                      }) &&
         llvm::all_of(predicate.operands, [](const mask::Predicate &operand) {
           return hasCode(operand);
         });
}

namespace {
/// A mask that answers as `mask` does, and names the attribute it is of.
class OwnedNode : public MaskNode {
public:
  OwnedNode(MaskAttrInterface owner, Mask mask)
      : owner(owner), mask(std::move(mask)) {}

  bool contains(const Lengths &n, int64_t head, int64_t i,
                int64_t j) const override {
    return mask.contains(n, head, i, j);
  }
  IntervalSet liveKeys(const Lengths &n, int64_t head, int64_t i,
                       mask::Range keys) const override {
    return mask.getNode().liveKeys(n, head, i, keys);
  }
  /// Those of the mask; where one has a leaf without code, it may as well say
  /// that the whole mask holds: the pairs of all pieces are those of the mask.
  std::optional<Pieces> pieces(bool negated,
                               unsigned maxPieces) const override {
    std::optional<Pieces> pieces = mask.getNode().pieces(negated, maxPieces);
    if (!pieces)
      return MaskNode::pieces(negated, maxPieces);
    for (Piece &piece : *pieces) {
      size_t count = piece.opaque.size();
      llvm::erase_if(piece.opaque, [](const OpaqueLiteral &literal) {
        return !hasCode(literal);
      });
      if (piece.opaque.size() != count)
        piece.opaque.push_back({shared_from_this(), negated});
    }
    return pieces;
  }
  Mask transpose() const override { return mask.transpose(); }
  bool isHeadInvariant() const override { return mask.isHeadInvariant(); }
  unsigned getDataFacts() const override { return mask.getDataFacts(); }
  Mask withData(unsigned facts) const override { return mask.withData(facts); }
  int64_t getRowGranularity() const override {
    return mask.getNode().getRowGranularity();
  }
  std::optional<TileState> tileState(const Lengths &n, int64_t head,
                                     mask::Range rows,
                                     mask::Range keys) const override {
    return mask.getNode().tileState(n, head, rows, keys);
  }
  const void *getOwner() const override { return owner.getAsOpaquePointer(); }
  void print(llvm::raw_ostream &os) const override { mask.print(os); }

private:
  MaskAttrInterface owner;
  Mask mask;
};
} // namespace

Mask sparse_attn::getMaskWithOwner(MaskAttrInterface attribute,
                                   std::optional<int64_t> nk) {
  Mask mask = attribute.getMask(nk);
  if (hasCode(makePredicate(mask)))
    return mask;
  return Mask(std::make_shared<OwnedNode>(attribute, mask));
}
