//===- Transfers.cpp - Fragments to and from global memory ----------------===//

#include "Transfers.h"
#include "Form/TileForm.h"
#include "Staging/SharedAddress.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

static Value toIndex(OpBuilder &b, Location loc, Value x) {
  return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), x);
}

namespace {
/// The rows [band][half] of a transfer: where each is, and whether it exists.
class TransferRows {
public:
  TransferRows(OpBuilder &b, const Threads &threads,
               VectorTransferOpInterface op, int64_t rows)
      : b(b), loc(op.getLoc()), threads(threads), op(op),
        mayPassEnd(!op.isDimInBounds(0)), rows(rows) {
    if (mayPassEnd)
      end = memref::DimOp::create(b, loc, op.getBase(), 0);
  }

  int64_t count() const { return 2 * threads.bands(rows); }

  /// Row number i as an index into the memory, and the condition under which
  /// it exists, null if it always does.
  std::pair<Value, Value> at(int64_t i) {
    Value row = toIndex(b, loc, threads.rowOf(b, loc, rows, i / 2, i % 2));
    row = b.createOrFold<arith::AddIOp>(loc, op.getIndices()[0], row);
    if (!mayPassEnd)
      return {row, Value()};
    Value exists =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, row, end);
    return {row, exists};
  }

  /// A row that may be read in any case: the last one for what lies behind it.
  Value clamped(Value row, Value exists) {
    if (!exists)
      return row;
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    Value last = arith::SubIOp::create(b, loc, end, one);
    return arith::SelectOp::create(b, loc, exists, row, last);
  }

private:
  OpBuilder &b;
  Location loc;
  const Threads &threads;
  VectorTransferOpInterface op;
  bool mayPassEnd;
  int64_t rows; ///< of the tile
  Value end;
};
} // namespace

/// `value` where the row exists, and the padding elsewhere.
static Value orPadding(OpBuilder &b, Location loc, Value exists, Value value,
                       Value padding) {
  if (!exists)
    return value;
  if (auto type = dyn_cast<VectorType>(value.getType()))
    padding = vector::BroadcastOp::create(b, loc, type, padding);
  return arith::SelectOp::create(b, loc, exists, value, padding);
}

/// A value of each row: all four lanes of a row load it.
static Fragment readRows(OpBuilder &b, const Threads &threads,
                         vector::TransferReadOp op) {
  Location loc = op.getLoc();
  VectorType type = op.getVectorType();
  TransferRows rows(b, threads, op, type.getDimSize(0));
  SmallVector<Value> elements;
  for (int64_t i = 0; i < rows.count(); ++i) {
    auto [row, exists] = rows.at(i);
    Value loaded =
        memref::LoadOp::create(b, loc, op.getBase(), rows.clamped(row, exists));
    elements.push_back(orPadding(b, loc, exists, loaded, op.getPadding()));
  }
  auto lanes = VectorType::get({rows.count()}, type.getElementType());
  Fragment fragment;
  fragment.extent = {true, false};
  fragment.lanes = vector::FromElementsOp::create(b, loc, lanes, elements);
  return fragment;
}

FailureOr<Fragment> kernels::emitRead(OpBuilder &b, const Threads &threads,
                                      vector::TransferReadOp op) {
  if (!movesWholeRows(op))
    return emitNotInForm(op);
  VectorType type = op.getVectorType();
  if (type.getRank() == 1)
    return readRows(b, threads, op);
  Location loc = op.getLoc();
  int64_t columns = type.getDimSize(1);
  TransferRows rows(b, threads, op, type.getDimSize(0));
  auto pair = VectorType::get({2}, type.getElementType());
  uint64_t pairBytes = type.getElementTypeBitWidth() / 4;
  // [band][half][c], as they are loaded.
  SmallVector<SmallVector<Value>> loaded(rows.count());
  for (int64_t i = 0; i < rows.count(); ++i) {
    auto [row, exists] = rows.at(i);
    Value readable = rows.clamped(row, exists);
    for (int64_t c = 0; c < columns / 8; ++c) {
      Value column = b.createOrFold<arith::AddIOp>(
          loc, op.getIndices()[1],
          toIndex(b, loc, threads.columnOf(b, loc, c)));
      Value value = vector::LoadOp::create(
          b, loc, pair, op.getBase(), ValueRange{readable, column},
          /*nontemporal=*/false, llvm::MaybeAlign(pairBytes));
      loaded[i].push_back(orPadding(b, loc, exists, value, op.getPadding()));
    }
  }
  SmallVector<Value> elements;
  for (int64_t band = 0; band < rows.count() / 2; ++band)
    for (int64_t c = 0; c < columns / 8; ++c)
      for (int64_t half = 0; half < 2; ++half) {
        auto both =
            vector::ToElementsOp::create(b, loc, loaded[2 * band + half][c]);
        llvm::append_range(elements, both.getResults());
      }
  auto lanes = VectorType::get({static_cast<int64_t>(elements.size())},
                               type.getElementType());
  Fragment fragment;
  fragment.extent = {true, true};
  fragment.lanes = vector::FromElementsOp::create(b, loc, lanes, elements);
  return fragment;
}

namespace {
/// Stores rows of a fragment, each where it is told to.
class RowStores {
public:
  RowStores(OpBuilder &b, Location loc, const Threads &threads, VectorType type,
            const Fragment &fragment, Value base, Value firstColumn)
      : b(b), loc(loc), threads(threads), type(type), base(base),
        firstColumn(firstColumn) {
    int64_t columns = isTile() ? type.getDimSize(1) : 0;
    lanes = threads.expand(b, loc, fragment, {true, isTile()},
                           type.getDimSize(0), columns);
    // A value of a row is stored by one of the four lanes that hold it.
    if (!isTile())
      isFirst =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, threads.quad,
                                LaneMath{b, loc}.constant(0));
  }

  /// Stores row number i of the thread to row `row`, where it exists; null says
  /// that it does.
  void storeIf(int64_t i, Value row, Value exists) {
    if (isFirst)
      exists = exists
                   ? arith::AndIOp::create(b, loc, exists, isFirst).getResult()
                   : isFirst;
    if (!exists)
      return store(b, i, row);
    scf::IfOp::create(b, loc, exists, [&](OpBuilder &then, Location) {
      store(then, i, row);
      scf::YieldOp::create(then, loc);
    });
  }

private:
  bool isTile() const { return type.getRank() == 2; }

  void store(OpBuilder &nested, int64_t i, Value row) {
    if (!isTile()) {
      Value element = vector::ExtractOp::create(nested, loc, lanes, i);
      memref::StoreOp::create(nested, loc, element, base, row);
      return;
    }
    int64_t columns = type.getDimSize(1);
    uint64_t pairBytes = type.getElementTypeBitWidth() / 4;
    for (int64_t c = 0; c < columns / 8; ++c) {
      int64_t place = ((i / 2) * (columns / 8) + c) * 4 + i % 2 * 2;
      Value pair = shuffle(nested, loc, lanes, {place, place + 1});
      Value column = toIndex(nested, loc, threads.columnOf(nested, loc, c));
      if (firstColumn)
        column = nested.createOrFold<arith::AddIOp>(loc, firstColumn, column);
      vector::StoreOp::create(nested, loc, pair, base, ValueRange{row, column},
                              /*nontemporal=*/false,
                              llvm::MaybeAlign(pairBytes));
    }
  }

  OpBuilder &b;
  Location loc;
  const Threads &threads;
  VectorType type;
  Value base, firstColumn, lanes, isFirst;
};
} // namespace

LogicalResult kernels::emitWrite(OpBuilder &b, const Threads &threads,
                                 vector::TransferWriteOp op,
                                 const Fragment &fragment) {
  if (!movesWholeRows(op))
    return emitNotInForm(op);
  VectorType type = op.getVectorType();
  TransferRows rows(b, threads, op, type.getDimSize(0));
  Value firstColumn = type.getRank() == 2 ? op.getIndices()[1] : Value();
  RowStores stores(b, op.getLoc(), threads, type, fragment, op.getBase(),
                   firstColumn);
  for (int64_t i = 0; i < rows.count(); ++i) {
    auto [row, exists] = rows.at(i);
    stores.storeIf(i, row, exists);
  }
  return success();
}

void kernels::emitWriteRows(OpBuilder &b, const Threads &threads,
                            WriteRowsOp op, const Fragment &fragment,
                            Value numbers) {
  Location loc = op.getLoc();
  RowStores stores(b, loc, threads, cast<VectorType>(op.getSource().getType()),
                   fragment, op.getDest(), /*firstColumn=*/Value());
  Value end = memref::DimOp::create(b, loc, op.getDest(), 0);
  auto each = vector::ToElementsOp::create(b, loc, numbers);
  for (auto [i, number] : llvm::enumerate(each.getResults())) {
    Value row = arith::IndexCastOp::create(b, loc, b.getIndexType(), number);
    // Negative ones are large without a sign.
    Value exists =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, row, end);
    stores.storeIf(i, row, exists);
  }
}
