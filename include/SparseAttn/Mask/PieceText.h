//===- PieceText.h - Unions of pieces as text -------------------*- C++ -*-===//
//
//   union   := 'none' | piece ('or' piece)*
//   piece   := 'all' | literal ('and' literal)*
//   literal := ('i' | 'j') ('>=' | '<') bound
//            | ('i' | 'j' | 'j - i') 'mod' integer 'in' integer 'to' integer
//   bound   := ['-'] term (('+' | '-') term)*
//   term    := 'i' | 'i' 'floordiv' integer '*' integer | 'nk' ['*' integer]
//            | integer
//
// The two integers of a term of i are the same; a residue lies in [first,
// second).
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_MASK_PIECETEXT_H
#define SPARSEATTN_MASK_PIECETEXT_H

#include "SparseAttn/Mask/Piece.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mlir::sparse_attn::mask {

/// `j >= i - 256 and j < nk or j < 4`. The pieces have no opaque literals.
void printPieces(const Pieces &pieces, llvm::raw_ostream &os);
std::string textOf(const Pieces &pieces);

/// Inverse of `printPieces`; on failure returns nullopt and sets `error`, and
/// where in the text it was noticed.
std::optional<Pieces> parsePieces(llvm::StringRef text, std::string &error,
                                  size_t *errorOffset = nullptr);

} // namespace mlir::sparse_attn::mask

#endif // SPARSEATTN_MASK_PIECETEXT_H
