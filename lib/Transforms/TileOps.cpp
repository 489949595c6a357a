//===- TileOps.cpp - Linalg ops on tiles of scores and rows ---------------===//

#include "SparseAttn/Transforms/TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

static constexpr auto parallel = utils::IteratorType::parallel;
static constexpr auto reduction = utils::IteratorType::reduction;

Value transforms::toF32(OpBuilder &b, Location loc, Value x) {
  if (x.getType().isF32())
    return x;
  return arith::ExtFOp::create(b, loc, b.getF32Type(), x);
}

RankedTensorType TileOps::tileType(int64_t size) const {
  return RankedTensorType::get(layout.order(tile.queries, size),
                               b.getF32Type());
}

RankedTensorType TileOps::rowType() const {
  return RankedTensorType::get({tile.queries}, b.getF32Type());
}

Value TileOps::scalar(OpBuilder &builder, double value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getF32FloatAttr(float(value)));
}

Value TileOps::empty(RankedTensorType type) {
  return tensor::EmptyOp::create(b, loc, type.getShape(),
                                 type.getElementType());
}

Value TileOps::filled(RankedTensorType type, double value) {
  return filled(empty(type), value);
}

Value TileOps::filled(Value place, double value) {
  return linalg::FillOp::create(b, loc, scalar(b, value), place).getResult(0);
}

Value TileOps::elementwise(ValueRange inputs, Value init, BodyFn body) {
  unsigned rank = cast<RankedTensorType>(init.getType()).getRank();
  auto mapFor = [&](Value v) {
    if (rank == 2 && cast<RankedTensorType>(v.getType()).getRank() == 1)
      return AffineMap::get(2, 0, queryDim());
    return b.getMultiDimIdentityMap(rank);
  };
  SmallVector<AffineMap> maps = llvm::map_to_vector(inputs, mapFor);
  maps.push_back(mapFor(init));
  SmallVector<utils::IteratorType> iterators(rank, parallel);
  return linalg::GenericOp::create(
             b, loc, init.getType(), inputs, init, maps, iterators,
             [&](OpBuilder &nested, Location, ValueRange args) {
               linalg::YieldOp::create(nested, loc, body(nested, args));
             })
      .getResult(0);
}

Value TileOps::reduceOverKeys(Value tileValue, Value init, BodyFn combine) {
  SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(2),
                                 AffineMap::get(2, 0, queryDim())};
  SmallVector<utils::IteratorType> iterators =
      layout.order(parallel, reduction);
  return linalg::GenericOp::create(
             b, loc, init.getType(), tileValue, init, maps, iterators,
             [&](OpBuilder &nested, Location, ValueRange args) {
               linalg::YieldOp::create(nested, loc, combine(nested, args));
             })
      .getResult(0);
}

Value TileOps::contract(Value other, AffineMap otherMap, Value query,
                        AffineMap queryMap, Value init) {
  // The operand that runs over the rows of the result comes first.
  SmallVector<AffineMap> maps = layout.order(queryMap, otherMap);
  maps.push_back(AffineMap::get(
      3, 0, {b.getAffineDimExpr(0), b.getAffineDimExpr(1)}, b.getContext()));
  return product(layout.order(query, other), maps, init);
}

Value TileOps::branch(Value condition, Type type,
                      llvm::function_ref<Value()> then,
                      llvm::function_ref<Value()> otherwise) {
  auto branch =
      scf::IfOp::create(b, loc, type, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, then());
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, otherwise());
  return branch.getResult(0);
}
