//===- PieceText.cpp - Unions of pieces as text ---------------------------===//

#include "SparseAttn/Mask/PieceText.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::StringRef;

static void printBound(const Bound &bound, llvm::raw_ostream &os) {
  bool isFirst = true;
  auto sign = [&](bool isNegative) -> llvm::raw_ostream & {
    os << (isFirst ? (isNegative ? "-" : "") : isNegative ? " - " : " + ");
    isFirst = false;
    return os;
  };
  if (bound.block != 0) {
    sign(false) << 'i';
    if (bound.block != 1)
      os << " floordiv " << bound.block << " * " << bound.block;
  }
  if (bound.perKey != 0) {
    sign(bound.perKey < 0) << "nk";
    if (int64_t factor = std::abs(bound.perKey); factor != 1)
      os << " * " << factor;
  }
  if (bound.offset != 0 || isFirst)
    sign(bound.offset < 0) << std::abs(bound.offset);
}

static void printResidue(const Residue &residue, llvm::raw_ostream &os) {
  os << (residue.subject == Residue::Subject::Key     ? "j"
         : residue.subject == Residue::Subject::Query ? "i"
                                                      : "j - i")
     << " mod " << residue.modulus << " in " << residue.begin << " to "
     << residue.end;
}

/// `j in {5, 77 to 80}`, `i - nk not in {-4}`.
static void printSet(const PositionSet &set, llvm::raw_ostream &os) {
  // What reaches the far end is all but some.
  llvm::ArrayRef<Range> ranges = set.positions->ranges();
  bool isNegated = set.fromEnd ? ranges.front().begin <= set.universe().begin
                               : ranges.back().end >= set.universe().end;
  PositionSet shown = isNegated ? set.complement() : set;
  os << (set.ofKey ? 'j' : 'i') << (set.fromEnd ? " - nk" : "")
     << (isNegated ? " not in {" : " in {");
  llvm::interleaveComma(shown.positions->ranges(), os, [&](Range range) {
    os << range.begin;
    if (range.size() > 1)
      os << " to " << range.end;
  });
  os << '}';
}

static void printPiece(const Piece &piece, llvm::raw_ostream &os) {
  StringRef separator = "";
  auto next = [&]() -> llvm::raw_ostream & {
    os << separator;
    separator = " and ";
    return os;
  };
  auto printBounds = [&](llvm::ArrayRef<Bound> bounds, StringRef relation) {
    for (const Bound &bound : bounds)
      printBound(bound, next() << relation);
  };
  printBounds(piece.rowLower, "i >= ");
  printBounds(piece.rowUpper, "i < ");
  printBounds(piece.lower, "j >= ");
  printBounds(piece.upper, "j < ");
  for (const Residue &residue : piece.residues)
    printResidue(residue, next());
  for (const PositionSet &set : piece.sets)
    printSet(set, next());
  if (separator.empty())
    os << "all";
}

void mask::printPieces(const Pieces &pieces, llvm::raw_ostream &os) {
  if (pieces.empty())
    os << "none";
  StringRef separator = "";
  for (const Piece &piece : pieces) {
    os << separator;
    printPiece(piece, os);
    separator = " or ";
  }
}

std::string mask::textOf(const Pieces &pieces) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printPieces(pieces, os);
  return text;
}
