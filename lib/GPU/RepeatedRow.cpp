//===- RepeatedRow.cpp - One row for all rows of a tile -------------------===//

#include "RepeatedRow.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::sparse_attn;

bool mlir::sparse_attn::isRepeatedRow(vector::TransferReadOp op) {
  MLIRContext *context = op.getContext();
  auto zero = getAffineConstantExpr(0, context);
  auto column = getAffineDimExpr(0, context);
  return isa<MemRefType>(op.getShapedType()) && !op.getMask() &&
         op.getVectorType().getRank() == 2 && op.isDimInBounds(1) &&
         op.getPermutationMap() ==
             AffineMap::get(1, 0, {zero, column}, context);
}

Fragment mlir::sparse_attn::emitRepeatedRow(OpBuilder &b,
                                            const Threads &threads,
                                            vector::TransferReadOp op) {
  Location loc = op.getLoc();
  VectorType type = op.getVectorType();
  auto pair = VectorType::get({2}, type.getElementType());
  SmallVector<Value> elements;
  for (int64_t c = 0; c < type.getDimSize(1) / 8; ++c) {
    Value column = arith::IndexCastUIOp::create(b, loc, b.getIndexType(),
                                                threads.columnOf(b, loc, c));
    column = b.createOrFold<arith::AddIOp>(loc, op.getIndices()[0], column);
    Value loaded = vector::LoadOp::create(
        b, loc, pair, op.getBase(), ValueRange{column}, /*nontemporal=*/false,
        llvm::MaybeAlign(type.getElementTypeBitWidth() / 4));
    auto both = vector::ToElementsOp::create(b, loc, loaded);
    llvm::append_range(elements, both.getResults());
  }
  auto lanes = VectorType::get({static_cast<int64_t>(elements.size())},
                               type.getElementType());
  Fragment fragment;
  fragment.extent = {false, true};
  fragment.lanes = vector::FromElementsOp::create(b, loc, lanes, elements);
  return fragment;
}
