//===- ClosedForm.h - Masks that are a fixed union of pieces ----*- C++ -*-===//
//
// The base of every primitive without a draw. Its formula, `contains`, and its
// pieces are written apart on purpose: the fuzz test holds them together.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_MASK_CLOSEDFORM_H
#define SPARSEATTN_LIB_MASK_CLOSEDFORM_H

#include "SparseAttn/Mask/Mask.h"

namespace mlir::sparse_attn::mask {

class ClosedForm : public MaskNode {
public:
  explicit ClosedForm(const Pieces &literal);

  IntervalSet liveKeys(const Lengths &n, int64_t head, int64_t i,
                       Range keys) const override;
  std::optional<Pieces> pieces(bool negated, unsigned maxPieces) const override;
  bool isHeadInvariant() const override { return true; }
  std::optional<TileState> tileState(const Lengths &n, int64_t head, Range rows,
                                     Range keys) const override;

private:
  Pieces closedForm;
};

/// The live keys of one piece in row i, opaque literals included.
IntervalSet liveKeysOfPiece(const Piece &piece, const Lengths &n, int64_t head,
                            int64_t i, Range keys);

/// The part of `rows` inside the row bounds of `piece`.
Range clipRows(const Piece &piece, int64_t n, Range rows);

/// The state of a union of sets with these states, as far as it follows.
std::optional<TileState>
uniteStates(llvm::ArrayRef<std::optional<TileState>> states);

} // namespace mlir::sparse_attn::mask

#endif // SPARSEATTN_LIB_MASK_CLOSEDFORM_H
