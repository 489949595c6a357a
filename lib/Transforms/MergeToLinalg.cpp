//===- MergeToLinalg.cpp - A merge as elementwise linalg ------------------===//
//
// As the definition says, over all rows at once, in f32:
//
//   m = max(LSE1, LSE2), 0 where that is -inf     [B, Hq, Sq]
//   e = exp(LSE. - m)                             both
//   LSE = m + ln(e1 + e2)
//   O = (O1 e1 + O2 e2) / (e1 + e2), without terms whose LSE is -inf; or 0
//
//===----------------------------------------------------------------------===//

#include "MergeToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <limits>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

namespace {
/// The arithmetic of one row.
struct RowMath {
  OpBuilder &b;
  Location loc;

  Value scalar(float x) const {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(x));
  }
  Value isEmpty(Value lse) const {
    return arith::CmpFOp::create(
        b, loc, arith::CmpFPredicate::OEQ, lse,
        scalar(-std::numeric_limits<float>::infinity()));
  }
  Value select(Value condition, Value x, Value y) const {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  Value add(Value x, Value y) const {
    return arith::AddFOp::create(b, loc, x, y);
  }
  /// What both are taken relative to.
  Value base(Value x, Value y) const {
    Value max = arith::MaximumFOp::create(b, loc, x, y);
    return select(isEmpty(max), scalar(0), max);
  }
  Value weight(Value lse, Value base) const {
    return math::ExpOp::create(b, loc,
                               arith::SubFOp::create(b, loc, lse, base));
  }
  /// A result widened to f32; 0 without keys.
  Value counted(Value result, Value lse) const {
    if (!result.getType().isF32())
      result = arith::ExtFOp::create(b, loc, b.getF32Type(), result);
    return select(isEmpty(lse), scalar(0), result);
  }
};
} // namespace

static Value generic(OpBuilder &b, Location loc, ValueRange inputs, Value init,
                     function_ref<Value(OpBuilder &, ValueRange)> body) {
  unsigned rank = cast<RankedTensorType>(init.getType()).getRank();
  auto mapFor = [&](Value value) {
    return AffineMap::getMultiDimIdentityMap(rank, b.getContext())
        .getMajorSubMap(cast<RankedTensorType>(value.getType()).getRank());
  };
  SmallVector<AffineMap> maps = llvm::map_to_vector(inputs, mapFor);
  maps.push_back(mapFor(init));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             b, loc, init.getType(), inputs, init, maps, iterators,
             [&](OpBuilder &nested, Location, ValueRange args) {
               linalg::YieldOp::create(nested, loc, body(nested, args));
             })
      .getResult(0);
}

SmallVector<Value> transforms::mergeToLinalg(OpBuilder &b, MergeOp op) {
  Location loc = op.getLoc();
  auto lseBody = [&](OpBuilder &nested, ValueRange args) -> Value {
    RowMath row{nested, loc};
    Value base = row.base(args[0], args[1]);
    Value sum = row.add(row.weight(args[0], base), row.weight(args[1], base));
    return row.add(base, math::LogOp::create(nested, loc, sum));
  };
  auto outputBody = [&](OpBuilder &nested, ValueRange args) -> Value {
    RowMath row{nested, loc};
    Value base = row.base(args[1], args[3]);
    Value x = row.weight(args[1], base), y = row.weight(args[3], base);
    auto term = [&](Value weight, Value result, Value lse) -> Value {
      return arith::MulFOp::create(nested, loc, weight,
                                   row.counted(result, lse));
    };
    Value sum = row.add(term(x, args[0], args[1]), term(y, args[2], args[3]));
    Value weights = row.add(x, y);
    Value hasNone = arith::CmpFOp::create(
        nested, loc, arith::CmpFPredicate::OEQ, weights, row.scalar(0));
    Value mean = row.select(hasNone, row.scalar(0),
                            arith::DivFOp::create(nested, loc, sum, weights));
    Type element = args[4].getType();
    if (element.isF32())
      return mean;
    return arith::TruncFOp::create(nested, loc, element, mean);
  };
  return {generic(b, loc, op.getDpsInputs(), op.getOutputInit(), outputBody),
          generic(b, loc, {op.getFirstLse(), op.getSecondLse()},
                  op.getLseInit(), lseBody)};
}
