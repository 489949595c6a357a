//===- EmitMask.cpp - Predicates of masks as code -------------------------===//
//
// The code of each mask is generated from its pieces (Mask/Predicate.h): bounds
// of the row, which do not depend on j, and comparisons of j with them,
//
//   j < high(i),   j >= low(i),   or for both   j - low(i) <u high(i) - low(i).
//
// Nothing overflows in the last form that does not do so on both sides.
//
//===----------------------------------------------------------------------===//

#include "MaskOwner.h"
#include "PredicateBuilder.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

namespace {
/// Bounds of j; null for none.
struct RowRange {
  Value low, high;
  /// high - low, where that is a constant.
  std::optional<int64_t> width;
  /// The bounds are multiples of the lowest bit that is set.
  int64_t bits = 0;
};

/// Rows that see all keys: those where `holds`, up to `end` or without one.
struct WholeRows {
  Value holds, end;
};

class PredicateEmitter {
public:
  PredicateEmitter(OpBuilder &b, Location loc, const MaskPosition &at,
                   EmitLeafFn emitOther)
      : b(b), loc(loc), at(at), emitOther(emitOther), p(b, loc, at) {}

  /// Null where a leaf has no code.
  Value run(const mask::Predicate &predicate) {
    Value result = emit(predicate);
    return hasCode ? result : Value();
  }

private:
  using Compare = arith::CmpIPredicate;

  Value emit(const mask::Predicate &predicate);
  Value emit(const Pieces &pieces);
  Value emitAlone(const Piece &piece, WholeRows &whole);
  Value emitLeafOnce(const OpaqueLiteral &literal);
  Value drawn(const RandomBlocks &blocks);
  Value isOneDocument();
  Value emitLeaf(const MaskNode &leaf);

  RowRange boundsOf(const Piece &piece);
  RowRange below(const Pieces &pieces);
  RowRange from(const Pieces &pieces);
  void widen(RowRange &range, WholeRows &whole);
  Value keyFor(const RowRange &range);
  Value compare(const RowRange &range);

  Value holdsForRow(const Piece &piece);
  WholeRows wholeRows(const Pieces &pieces);
  Value beginOf(const OpaqueLiteral &lastBlock);

  Value maxOf(Value x, Value y) {
    return x && y ? p.make<arith::MaxSIOp>(x, y) : x ? x : y;
  }
  Value minOf(Value x, Value y) {
    return x && y ? p.make<arith::MinSIOp>(x, y) : x ? x : y;
  }
  /// Bounds that no position reaches.
  Value lowest() { return p.integer(-maxSequenceLength); }
  Value highest() { return p.integer(maxSequenceLength); }

  OpBuilder &b;
  Location loc;
  const MaskPosition &at;
  EmitLeafFn emitOther;
  PredicateBuilder p;
  DenseMap<const MaskNode *, Value> leaves;
  bool hasCode = true;
};
} // namespace

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// b * floor((N - 1) / b).
Value PredicateEmitter::beginOf(const OpaqueLiteral &lastBlock) {
  Value last = p.make<arith::SubIOp>(at.n, p.integer(1));
  return p.floorTo(last, lastBlock.leaf->getLastBlock()->block);
}

/// Whether the literals of rows hold; null where there are none.
Value PredicateEmitter::holdsForRow(const Piece &piece) {
  if (piece.rowLower.size() == 1 && piece.rowUpper.size() == 1 &&
      piece.residues.empty() && piece.opaque.empty()) {
    const Bound &low = piece.rowLower[0], &high = piece.rowUpper[0];
    if (low.perKey == high.perKey && high.offset - low.offset == 1)
      return p.compare(Compare::eq, at.i, p.bound(low));
  }
  Value holds;
  for (const Bound &bound : piece.rowLower)
    holds = p.conj(holds, p.compare(Compare::sge, at.i, p.bound(bound)));
  for (const Bound &bound : piece.rowUpper)
    holds = p.conj(holds, p.compare(Compare::slt, at.i, p.bound(bound)));
  for (const Residue &residue : piece.residues)
    if (residue.subject == Residue::Subject::Query)
      holds = p.conj(holds, p.holds(residue));
  for (const OpaqueLiteral &literal : piece.opaque)
    if (boundsRows(literal) && literal.leaf->getLastBlock())
      holds =
          p.conj(holds, p.compare(literal.negated ? Compare::slt : Compare::sge,
                                  at.i, beginOf(literal)));
    else if (boundsRows(literal))
      holds = p.conj(holds, emitLeafOnce(literal));
  return holds;
}

WholeRows PredicateEmitter::wholeRows(const Pieces &pieces) {
  WholeRows whole;
  for (const Piece &piece : pieces) {
    Value holds = holdsForRow(piece);
    whole.holds = p.disj(whole.holds, holds ? holds : p.constant(true));
    // All that have an end have the same.
    if (!piece.upper.empty())
      whole.end = p.bound(piece.upper[0]);
  }
  return whole;
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

/// Bits of the numbers that a bound is a sum of multiples of.
static int64_t bitsOf(const Bound &bound) {
  return bound.block | (bound.perKey != 0) | bound.offset;
}

RowRange PredicateEmitter::boundsOf(const Piece &piece) {
  RowRange range;
  for (const auto *bounds : {&piece.lower, &piece.upper})
    for (const Bound &bound : *bounds)
      range.bits |= bitsOf(bound);
  if (piece.lower.size() == 1 && piece.upper.size() == 1) {
    const Bound &low = piece.lower[0], &high = piece.upper[0];
    if (low.block == high.block && low.perKey == high.perKey && low.isSmall() &&
        high.isSmall())
      range.width = std::max<int64_t>(0, high.offset - low.offset);
  }
  for (const Bound &bound : piece.lower)
    range.low = maxOf(range.low, p.bound(bound));
  for (const Bound &bound : piece.upper)
    range.high = minOf(range.high, p.bound(bound));
  for (const OpaqueLiteral &literal : piece.opaque) {
    if (boundsFromBelow(literal))
      range.low = maxOf(range.low, beginOf(literal));
    else if (boundsFromAbove(literal))
      range.high = minOf(range.high, beginOf(literal));
    else
      continue;
    range.width = std::nullopt;
    range.bits |= literal.leaf->getLastBlock()->block;
  }
  Value holds = range.low || range.high ? holdsForRow(piece) : Value();
  if (!holds)
    return range;
  // A row for which its literals fail sees nothing.
  range.width = std::nullopt;
  if (range.high)
    range.high = p.select(holds, range.high, lowest());
  else
    range.low = p.select(holds, range.low, highest());
  return range;
}

/// j < high of any of the pieces.
RowRange PredicateEmitter::below(const Pieces &pieces) {
  RowRange range;
  for (const Piece &piece : pieces) {
    RowRange other = boundsOf(piece);
    range.high = maxOf(range.high, other.high);
    range.bits |= other.bits;
  }
  return range;
}

/// j >= low of any of the pieces.
RowRange PredicateEmitter::from(const Pieces &pieces) {
  RowRange range;
  for (const Piece &piece : pieces) {
    RowRange other = boundsOf(piece);
    range.low = minOf(range.low, other.low);
    range.bits |= other.bits;
  }
  return range;
}

/// Takes whole rows into a range.
void PredicateEmitter::widen(RowRange &range, WholeRows &whole) {
  if (!whole.holds)
    return;
  range.width = std::nullopt;
  range.bits |= bool(whole.end);
  if (range.low)
    range.low = p.select(whole.holds, p.integer(0), range.low);
  if (range.high || whole.end)
    range.high = p.select(whole.holds, whole.end ? whole.end : highest(),
                          range.high ? range.high : highest());
  whole = WholeRows();
}

/// The beginning of a block of j serves as well as j where bounds are multiples
/// of the block; and it is the same for all columns of a tile that lies in one.
Value PredicateEmitter::keyFor(const RowRange &range) {
  constexpr int64_t leastBlock = 8;
  int64_t block = range.bits & -range.bits;
  return block >= leastBlock && block < maxSequenceLength
             ? p.floorTo(at.j, block)
             : at.j;
}

Value PredicateEmitter::compare(const RowRange &range) {
  Value key = keyFor(range);
  if (!range.low)
    return p.compare(Compare::slt, key, range.high);
  if (!range.high)
    return p.compare(Compare::sge, key, range.low);
  if (range.width)
    return *range.width == 0 ? p.constant(false)
                             : p.isWithin(key, range.low, *range.width);
  Value end = p.make<arith::MaxSIOp>(range.high, range.low);
  return p.compare(Compare::ult, p.make<arith::SubIOp>(key, range.low),
                   p.make<arith::SubIOp>(end, range.low));
}

//===----------------------------------------------------------------------===//
// Pieces and leaves
//===----------------------------------------------------------------------===//

/// Whether j lies in one of the blocks that the row draws.
Value PredicateEmitter::drawn(const RandomBlocks &blocks) {
  Value rowBlock = p.floorDiv(at.i, blocks.block);
  Value keyBlock = p.floorDiv(at.j, blocks.block);
  Value isDrawn;
  for (int64_t t = 0; t < blocks.blocksPerRow; ++t)
    isDrawn =
        p.disj(isDrawn, p.compare(Compare::eq, keyBlock,
                                  at.drawnBlock(b, loc, blocks, rowBlock, t)));
  return isDrawn ? isDrawn : p.constant(false);
}

/// Whether i and j are of one document; null where there is no operand to tell.
Value PredicateEmitter::isOneDocument() {
  if (at.document)
    return p.compare(Compare::eq, at.document(b, loc, /*ofKey=*/false),
                     at.document(b, loc, /*ofKey=*/true));
  Value documents = at.operand ? at.operand(kDocuments) : Value();
  if (!documents)
    return {};
  // Ids are those of slots.
  auto slotOf = [&](Value position) {
    return at.slotPosition ? p.make<arith::SubIOp>(position, at.slotPosition)
                           : position;
  };
  auto documentOf = [&](Value position) {
    return emitDocument(b, loc, documents, at.batch, slotOf(position),
                        slotOf(at.n));
  };
  Value ofQuery = documentOf(at.i);
  return p.conj(p.compare(Compare::sge, ofQuery, p.integer(0)),
                p.compare(Compare::eq, ofQuery, documentOf(at.j)));
}

Value PredicateEmitter::emitLeaf(const MaskNode &leaf) {
  if (const RandomBlocks *blocks = leaf.getRandomBlocks())
    return drawn(*blocks);
  switch (leaf.getDataFact()) {
  case OneDocument:
    return isOneDocument();
  case ListedRow:
  case ListedKey:
    return at.listed ? at.listed(b, loc, leaf.getDataFact() == ListedKey)
                     : Value();
  default:
    return emitOther(b, loc, leaf);
  }
}

Value PredicateEmitter::emitLeafOnce(const OpaqueLiteral &literal) {
  Value &value = leaves[literal.leaf.get()];
  if (!value)
    value = emitLeaf(*literal.leaf);
  if (!value) {
    hasCode = false;
    value = p.constant(false);
  }
  return literal.negated ? p.make<arith::XOrIOp>(value, p.constant(true))
                         : value;
}

/// A piece that is asked for by itself; takes in whole rows where it can.
Value PredicateEmitter::emitAlone(const Piece &piece, WholeRows &whole) {
  Value others;
  for (const Residue &residue : piece.residues)
    if (residue.subject != Residue::Subject::Query)
      others = p.conj(others, p.holds(residue));
  for (const OpaqueLiteral &literal : piece.opaque)
    if (!literal.leaf->getLastBlock() && !boundsRows(literal))
      others = p.conj(others, emitLeafOnce(literal));
  RowRange range = boundsOf(piece);
  if (!range.low && !range.high)
    return p.conj(holdsForRow(piece), others);
  if (!others)
    widen(range, whole);
  return p.conj(compare(range), others);
}

Value PredicateEmitter::emit(const Pieces &pieces) {
  PiecesByTest by(pieces);
  WholeRows whole = wholeRows(by.wholeRows), none;
  Value result;
  for (const Piece &piece : by.columns)
    result = p.disj(result, emitAlone(piece, none));
  if (!by.below.empty()) {
    RowRange range = below(by.below);
    widen(range, whole);
    result = p.disj(result, compare(range));
  }
  if (!by.from.empty()) {
    RowRange range = from(by.from);
    widen(range, whole);
    result = p.disj(result, compare(range));
  }
  for (const Piece &piece : by.others)
    result = p.disj(result, emitAlone(piece, whole));
  if (whole.holds && whole.end) {
    RowRange range;
    range.high = p.select(whole.holds, whole.end, lowest());
    range.bits = 1;
    result = p.disj(result, compare(range));
  } else if (whole.holds) {
    result = p.disj(result, whole.holds);
  }
  return result ? result : p.constant(false);
}

Value PredicateEmitter::emit(const mask::Predicate &predicate) {
  if (predicate.kind == mask::Predicate::Kind::Union)
    return emit(predicate.pieces);
  bool isAll = predicate.kind == mask::Predicate::Kind::All;
  Value result;
  for (const mask::Predicate &operand : predicate.operands) {
    Value value = emit(operand);
    result = isAll ? p.conj(result, value) : p.disj(result, value);
  }
  return result ? result : p.constant(isAll);
}

Value sparse_attn::emitPredicate(OpBuilder &b, Location loc,
                                 const mask::Predicate &predicate,
                                 const MaskPosition &at, EmitLeafFn emitLeaf) {
  return PredicateEmitter(b, loc, at, emitLeaf).run(predicate);
}

//===----------------------------------------------------------------------===//
// Masks of attributes
//===----------------------------------------------------------------------===//

Value sparse_attn::emitMask(OpBuilder &b, Location loc, MaskAttrInterface mask,
                            const MaskPosition &at, bool mayPassEnd) {
  mask::Predicate predicate =
      makePredicate(getMaskWithOwner(mask, at.staticKeys));
  if (mayPassEnd)
    predicate = amongKeys(std::move(predicate));
  return emitPredicate(
      b, loc, predicate, at,
      [&](OpBuilder &inner, Location, const MaskNode &leaf) -> Value {
        auto owner = dyn_cast_if_present<MaskAttrInterface>(
            Attribute::getFromOpaquePointer(leaf.getOwner()));
        return owner ? owner.emitPredicate(inner, loc, at) : Value();
      });
}
