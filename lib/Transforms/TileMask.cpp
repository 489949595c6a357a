//===- TileMask.cpp - The mask of an op in its partial tiles --------------===//

#include "TileMask.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

Value TileMask::operator()(OpBuilder &b, Location loc, Value i, Value j) const {
  Value isLive = emitPairs(b, loc, i, j);
  if (!end)
    return isLive;
  Value isKey =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, j, end);
  return arith::AndIOp::create(b, loc, isLive, isKey);
}

Value TileMask::emitPairs(OpBuilder &b, Location loc, Value i, Value j) const {
  MaskPosition position;
  position.i = commonPosition ? commonPosition : i;
  position.j = j;
  position.n = numKeys;
  position.batch = absoluteBatch;
  position.head = absoluteHead;
  position.staticKeys = MaskedReductionOpInterface(op).getStaticNumKeys();
  position.drawnBlock = [&](OpBuilder &inner, Location,
                            const Mask::RandomOptions &options, Value rowBlock,
                            int64_t t) {
    return tables.drawn(inner, loc, options, shapes, batchIndex, head, rowBlock,
                        t);
  };
  if (where)
    return emitPredicate(
        b, loc, mask::Predicate::unionOf(*where), position,
        [](OpBuilder &, Location, const MaskNode &) { return Value(); });
  if (documents && *documents)
    position.document = [&](OpBuilder &inner, Location, bool ofKey) {
      return documentOf(inner, loc, ofKey, i, j);
    };
  position.operand = [&](StringRef name) {
    return MaskedReductionOpInterface(op).getDataOperand(name);
  };
  return emitMask(b, loc, MaskedReductionOpInterface(op).getMask(), position,
                  /*mayPassEnd=*/mayBeRagged && !end);
}

Value TileMask::documentOf(OpBuilder &b, Location loc, bool ofKey, Value i,
                           Value j) const {
  auto toIndex = [&](Value x) -> Value {
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), x);
  };
  Value place = documents->firstRow;
  if (ofKey)
    place = documents->firstKey
                ? IndexMath{b, loc}.sub(toIndex(j), documents->firstKey)
                : toIndex(j);
  if (!ofKey && toRow)
    place = toIndex(arith::AddIOp::create(b, loc, i, toRow));
  return tensor::ExtractOp::create(
      b, loc, ofKey ? documents->keyIds : documents->rowIds,
      ValueRange{batchIndex, place});
}
