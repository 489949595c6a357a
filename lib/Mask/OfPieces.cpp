//===- OfPieces.cpp - A mask that is given as a union of pieces -----------===//

#include "ClosedForm.h"
#include "SparseAttn/Mask/PieceText.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

namespace {
class OfPieces : public ClosedForm {
public:
  explicit OfPieces(Pieces pieces)
      : ClosedForm(pieces), literal(std::move(pieces)) {}

  bool contains(const Lengths &n, int64_t head, int64_t i,
                int64_t j) const override {
    return llvm::any_of(literal, [&](const Piece &piece) {
      return !liveKeysOfPiece(piece, n, head, i, {j, j + 1}).empty();
    });
  }
  bool isHeadInvariant() const override { return true; }
  void print(llvm::raw_ostream &os) const override { printPieces(literal, os); }

private:
  Pieces literal;
};
} // namespace

Mask Mask::ofPieces(Pieces pieces) {
  return {std::make_shared<OfPieces>(std::move(pieces))};
}
