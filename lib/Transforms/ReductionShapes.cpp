//===- ReductionShapes.cpp - Sizes of one masked reduction ----------------===//

#include "ReductionShapes.h"
#include "EmitTileExpr.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

ReductionShapes::ReductionShapes(OpBuilder &b, MaskedReductionOpInterface op) {
  Location loc = op.getLoc();
  auto dim = [&](Value tensor, unsigned d) {
    return getValueOrCreateConstantIndexOp(
        b, loc, tensor::getMixedSize(b, loc, tensor, d));
  };
  batch = dim(op.getQuery(), 0);
  queryHeads = dim(op.getQuery(), 1);
  numQueries = dim(op.getQuery(), 2);
  keyHeads = dim(op.getKey(), 1);
  numKeys = dim(op.getKey(), 2);

  IndexMath math{b, loc};
  std::optional<PlanAttr> attribute = op.getPlan();
  facts = op.getLengthFacts();
  if (attribute)
    facts = facts.assuming(attribute->getPlan().assumed);
  if (op.getOrigin().empty() && facts.areEqual()) {
    headOrigin = firstPosition = math.constant(0);
    numKeys = virtualQueries = numQueries;
  } else if (op.getOrigin().empty()) {
    headOrigin = math.constant(0);
    firstPosition = math.sub(numKeys, numQueries);
    virtualQueries = numQueries;
  } else {
    headOrigin = op.getOrigin()[0];
    firstPosition = op.getOrigin()[1];
    virtualQueries = math.sub(numKeys, firstPosition);
  }
}

Value ReductionShapes::keyHead(OpBuilder &b, Location loc,
                               Value queryHead) const {
  // Numbers of heads have 31 bits: a division of 64 takes several times as
  // long.
  auto narrow = [&](Value heads) {
    return b.createOrFold<arith::IndexCastUIOp>(loc, b.getI32Type(), heads);
  };
  Value group =
      b.createOrFold<arith::DivUIOp>(loc, narrow(queryHeads), narrow(keyHeads));
  if (matchPattern(group, m_One()))
    return queryHead;
  Value head = b.createOrFold<arith::DivUIOp>(loc, narrow(queryHead), group);
  return b.createOrFold<arith::IndexCastUIOp>(loc, b.getIndexType(), head);
}
