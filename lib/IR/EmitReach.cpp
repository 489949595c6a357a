//===- EmitReach.cpp - The rows that a key tile reaches, as code ----------===//

#include "MaskOwner.h"
#include "PredicateBuilder.h"
#include "SparseAttn/Plan/RowReach.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

namespace {
/// Positions as values of i32.
struct ValueMath {
  using Number = Value;
  using Condition = Value;
  using Compare = arith::CmpIPredicate;

  Value number(int64_t value) { return p->integer(value); }
  Value add(Value x, Value y) { return p->make<arith::AddIOp>(x, y); }
  Value subtract(Value x, Value y) { return p->make<arith::SubIOp>(x, y); }
  Value least(Value x, Value y) { return p->make<arith::MinSIOp>(x, y); }
  Value most(Value x, Value y) { return p->make<arith::MaxSIOp>(x, y); }
  Value floorTo(Value x, int64_t block) { return p->floorTo(x, block); }
  Value bound(const Bound &bound) { return p->bound(bound); }
  Value isBelow(Value x, Value y) { return p->compare(Compare::slt, x, y); }
  Value isAtLeast(Value x, Value y) { return p->compare(Compare::sge, x, y); }
  Value both(Value x, Value y) { return p->conj(x, y); }
  Value select(Value holds, Value x, Value y) { return p->select(holds, x, y); }

  PredicateBuilder *p;
};
} // namespace

static RowSpan spanOf(const plan::RowsBetween<Value> &rows) {
  return {rows.begin, rows.end};
}

std::optional<RowReach> sparse_attn::emitReach(OpBuilder &b, Location loc,
                                               const Pieces &pieces,
                                               const MaskPosition &at,
                                               plan::TileShape tile) {
  if (!plan::leavesOutRows(pieces))
    return std::nullopt;
  PredicateBuilder p(b, loc, at);
  plan::ReachRules<ValueMath> rules({&p}, at.i, at.j, at.n, tile);
  RowReach reach = {spanOf(rules.live(pieces)), {}};
  if (const Piece *slanted = plan::findSlanted(pieces))
    reach.full = spanOf(rules.full(*slanted));
  return reach;
}

std::optional<RowReach> sparse_attn::emitReach(OpBuilder &b, Location loc,
                                               MaskAttrInterface mask,
                                               const MaskPosition &at,
                                               plan::TileShape tile) {
  mask::Predicate predicate =
      makePredicate(getMaskWithOwner(mask, at.staticKeys));
  if (predicate.kind != mask::Predicate::Kind::Union)
    return std::nullopt;
  return emitReach(b, loc, predicate.pieces, at, tile);
}
