//===- DocumentTable.cpp - The ids of documents, tile by tile -------------===//

#include "DocumentTable.h"
#include "RandomTables.h"
#include "VisitTiles.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <limits>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

using Compare = arith::CmpIPredicate;

Value Ids::common(OpBuilder &b, Location loc) const {
  IntMath ints{b, loc};
  Value isOne = ints.compare(Compare::eq, lowest, greatest);
  return ints.select(isOne, lowest, ints.constant(-1));
}

/// The id of a slot, where the tensor may be empty, which nothing is read of.
static Value readId(OpBuilder &b, Location loc, Value documents, Value batch,
                    Value slot, Value n) {
  if (!cast<ShapedType>(documents.getType()).isDynamicDim(1))
    return emitDocument(b, loc, documents, batch, slot, n);
  IndexMath math{b, loc};
  Value slots = tensor::DimOp::create(b, loc, documents, 1);
  Value hasSlots =
      math.compare(arith::CmpIPredicate::sgt, slots, math.constant(0));
  return scf::IfOp::create(
             b, loc, hasSlots,
             [&](OpBuilder &inner, Location) {
               scf::YieldOp::create(
                   inner, loc,
                   emitDocument(inner, loc, documents, batch, slot, n));
             },
             [&](OpBuilder &inner, Location) {
               scf::YieldOp::create(inner, loc,
                                    IntMath{inner, loc}.constant(-1));
             })
      .getResult(0);
}

Ids transforms::readIds(OpBuilder &b, Location loc, Value documents,
                        const Positions &at, int32_t none, Value destination) {
  IndexMath math{b, loc};
  IntMath ints{b, loc};
  Value most = ints.constant(std::numeric_limits<int32_t>::max());
  Value nothing = ints.constant(-1);
  auto loop = scf::ForOp::create(
      b, loc, math.constant(0), math.constant(at.all), math.constant(1),
      ValueRange{most, nothing, most, destination},
      [&](OpBuilder &nested, Location, Value t, ValueRange carried) {
        IntMath inner{nested, loc};
        IndexMath index{nested, loc};
        auto toSlot = [&](Value position) {
          if (at.here.slots && at.here.slots->ofSlots)
            position = index.sub(position, at.here.slots->ofSlots);
          return inner.fromIndex(position);
        };
        Value id =
            readId(nested, loc, documents, inner.fromIndex(at.batch),
                   toSlot(index.add(at.first, t)), toSlot(at.here.numKeys));
        Value counts = index.compare(Compare::slt, t, at.count);
        Value exists = inner.both(
            counts, inner.compare(Compare::sge, id, inner.constant(0)));
        Value least = inner.min(carried[0], inner.select(exists, id, most));
        Value known = inner.select(exists, id, nothing);
        Value greatest = inner.max(carried[1], known);
        Value lowest = inner.min(carried[2], inner.select(counts, known, most));
        Value all = tensor::InsertOp::create(
            nested, loc, inner.select(exists, id, inner.constant(none)),
            carried[3], t);
        scf::YieldOp::create(nested, loc,
                             ValueRange{least, greatest, lowest, all});
      });
  return {loop.getResult(0), loop.getResult(1), loop.getResult(2),
          loop.getResult(3)};
}

DocumentTable transforms::makeTable(OpBuilder &b, Location loc, Value batches,
                                    Value tiles, int64_t count, int64_t size,
                                    DescribeTileFn describe) {
  SmallVector<OpFoldResult> bounds = getAsOpFoldResult({batches, tiles});
  Type i32 = b.getI32Type();
  Value numbers = tensor::EmptyOp::create(
      b, loc,
      ArrayRef<OpFoldResult>{bounds[0], bounds[1], b.getIndexAttr(count)}, i32);
  Value ids = tensor::EmptyOp::create(
      b, loc, getAsOpFoldResult({batches, IndexMath{b, loc}.mul(tiles, size)}),
      i32);
  auto forall = scf::ForallOp::create(
      b, loc, bounds, ValueRange{numbers, ids}, std::nullopt,
      [&](OpBuilder &nested, Location, ValueRange args) {
        IndexMath math{nested, loc};
        Value row = sliceTrailing(nested, loc, args[2], args.take_front(2));
        Value place = sliceRows(nested, loc, args[3], args[0],
                                math.mul(args[1], size), math.constant(size));
        auto [made, all] = describe(nested, args.take_front(2), place);
        Value filled = row;
        for (auto [k, number] : llvm::enumerate(made))
          filled = tensor::InsertOp::create(nested, loc, number, filled,
                                            math.constant(k));
        insertInParallel(nested, loc, ValueRange{filled, all.all},
                         ValueRange{row, place});
      });
  markAsGrid(forall);
  return {forall.getResult(0), forall.getResult(1), size};
}
