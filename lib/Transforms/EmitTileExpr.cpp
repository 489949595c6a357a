//===- EmitTileExpr.cpp - Closed forms as arith ops -----------------------===//

#include "EmitTileExpr.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

Value transforms::emitTileExpr(OpBuilder &b, Location loc, const TileExpr &expr,
                               const TileExprVariables &variables) {
  IndexMath math{b, loc};
  auto operand = [&](TileExpr e) { return emitTileExpr(b, loc, e, variables); };
  switch (expr.getKind()) {
  case TileExpr::Kind::Constant:
    return math.constant(expr.getConstant());
  case TileExpr::Kind::QueryTile:
    return variables.q;
  case TileExpr::Kind::NumQueries:
    return variables.nq;
  case TileExpr::Kind::NumKeys:
    return variables.nk;
  case TileExpr::Kind::Add:
    return math.add(operand(expr.getLhs()), operand(expr.getRhs()));
  case TileExpr::Kind::Mul:
    return math.mul(operand(expr.getLhs()), expr.getConstant());
  case TileExpr::Kind::FloorDiv:
    return math.floorDiv(operand(expr.getLhs()), expr.getConstant());
  case TileExpr::Kind::Min:
    return math.min(operand(expr.getLhs()), operand(expr.getRhs()));
  case TileExpr::Kind::Max:
    return math.max(operand(expr.getLhs()), operand(expr.getRhs()));
  }
  llvm_unreachable("unknown kind of tile expression");
}

Value transforms::emitEndWhere(OpBuilder &b, Location loc, const TileExpr &when,
                               Value end, Value begin,
                               const TileExprVariables &variables) {
  if (std::optional<int64_t> known = when.asConstant())
    return *known > 0 ? end : begin;
  IndexMath math{b, loc};
  Value holds =
      math.compare(arith::CmpIPredicate::sgt,
                   emitTileExpr(b, loc, when, variables), math.constant(0));
  return math.select(holds, end, begin);
}
