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
  if (areOfGrid && data.documents)
    position.document = [&](OpBuilder &inner, Location, bool ofKey) {
      return entryOf(inner, loc,
                     ofKey ? data.documents.keyIds : data.documents.rowIds,
                     ofKey, i, j);
    };
  if (data.listed)
    position.listed = [&](OpBuilder &inner, Location, bool ofKey) {
      return isListed(inner, loc, ofKey, i, j);
    };
  position.operand = [&](StringRef name) {
    return MaskedReductionOpInterface(op).getDataOperand(name);
  };
  return emitMask(b, loc, MaskedReductionOpInterface(op).getMask(), position,
                  /*mayPassEnd=*/mayBeRagged && !end);
}

Value TileMask::entryOf(OpBuilder &b, Location loc, Value table, bool ofKey,
                        Value i, Value j) const {
  auto toIndex = [&](Value x) -> Value {
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), x);
  };
  Value place = data.firstRow;
  if (ofKey)
    place = data.firstKey ? IndexMath{b, loc}.sub(toIndex(j), data.firstKey)
                          : toIndex(j);
  if (!ofKey && toRow)
    place = toIndex(arith::AddIOp::create(b, loc, i, toRow));
  return tensor::ExtractOp::create(b, loc, table,
                                   ValueRange{batchIndex, place});
}

/// Marks of keys stand in the order of positions, so that they serve for any
/// position that there is.
Value TileMask::isListed(OpBuilder &b, Location loc, bool ofKey, Value i,
                         Value j) const {
  IntMath ints{b, loc};
  using Compare = arith::CmpIPredicate;
  Value none = ints.constant(0);
  if (areOfGrid) {
    Value table = ofKey ? data.listed.keyMarks : data.listed.rowMarks;
    return ints.compare(Compare::ne, entryOf(b, loc, table, ofKey, i, j), none);
  }
  Value position = ofKey ? j : commonPosition ? commonPosition : i;
  Value last = arith::SubIOp::create(b, loc, numKeys, ints.constant(1));
  Value inside = ints.max(ints.min(position, last), none);
  Value mark =
      tensor::ExtractOp::create(b, loc, data.listed.keyMarks,
                                ValueRange{batchIndex, ints.toIndex(inside)});
  return ints.both(ints.compare(Compare::eq, inside, position),
                   ints.compare(Compare::ne, mark, none));
}
