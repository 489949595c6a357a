//===- RandomTables.cpp - Random blocks at run time -----------------------===//

#include "RandomTables.h"
#include "SparseAttn/Transforms/DecomposeSteps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

static bool sameDraw(const Mask::RandomOptions &a,
                     const Mask::RandomOptions &b) {
  return a.block == b.block && a.blocksPerRow == b.blocksPerRow &&
         a.seed == b.seed && a.perHead == b.perHead &&
         a.bigBirdWindowRadius == b.bigBirdWindowRadius;
}

/// Every draw that the predicate of `op`'s mask asks for. It is emitted once
/// for that alone, as a mask of another project may hide its draws from a walk
/// over attributes. nullopt where a part of the mask has no code.
static std::optional<SmallVector<Mask::RandomOptions>>
collectDraws(MaskedReductionOpInterface op) {
  Location loc = op.getLoc();
  Block scratch;
  OpBuilder b(op.getContext());
  b.setInsertionPointToStart(&scratch);
  Type i32 = b.getI32Type();
  MaskPosition at;
  for (Value *position : {&at.i, &at.j, &at.n, &at.batch, &at.head})
    *position = scratch.addArgument(i32, loc);
  at.staticKeys = op.getStaticNumKeys();
  SmallVector<Mask::RandomOptions> found;
  at.drawnBlock = [&](OpBuilder &inner, Location,
                      const Mask::RandomOptions &options, Value,
                      int64_t) -> Value {
    found.push_back(options);
    return arith::ConstantOp::create(inner, loc, inner.getI32IntegerAttr(-1));
  };
  at.operand = [&](StringRef name) { return op.getDataOperand(name); };
  at.listed = [](OpBuilder &inner, Location at, bool) -> Value {
    return arith::ConstantOp::create(inner, at, inner.getBoolAttr(false));
  };
  if (!emitMask(b, loc, op.getMask(), at, /*mayPassEnd=*/false))
    return std::nullopt;
  return found;
}

LogicalResult transforms::verifyMaskHasCode(MaskedReductionOpInterface op) {
  if (StringRef name = op.findMissingData(); !name.empty())
    return op->emitOpError() << "has a mask that reads the data operand "
                             << name << ", and takes no such data";
  if (collectDraws(op))
    return success();
  return op->emitOpError()
         << "has the mask " << op.getMask()
         << ", of which a part has neither pieces nor 'emitPredicate'; give "
            "its MaskNode pieces, or its attribute a predicate";
}

//===----------------------------------------------------------------------===//
// The draw
//===----------------------------------------------------------------------===//

namespace {
/// i64 arithmetic modulo 2^64.
struct Bits {
  OpBuilder &b;
  Location loc;

  Value constant(int64_t value) const {
    return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
  }
  Value bitXor(Value x, Value y) const {
    return arith::XOrIOp::create(b, loc, x, y);
  }
  Value shiftRight(Value x, int64_t bits) const {
    return arith::ShRUIOp::create(b, loc, x, constant(bits));
  }
  Value add(Value x, Value y) const {
    return arith::AddIOp::create(b, loc, x, y);
  }
  Value sub(Value x, Value y) const {
    return arith::SubIOp::create(b, loc, x, y);
  }
  Value mul(Value x, Value y) const {
    return arith::MulIOp::create(b, loc, x, y);
  }
  Value less(Value x, Value y) const {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, x, y);
  }
  Value select(Value c, Value x, Value y) const {
    return arith::SelectOp::create(b, loc, c, x, y);
  }
  Value splitmix(Value x) const {
    x = add(x, constant(int64_t(0x9E3779B97F4A7C15ull)));
    x = mul(bitXor(x, shiftRight(x, 30)),
            constant(int64_t(0xBF58476D1CE4E5B9ull)));
    x = mul(bitXor(x, shiftRight(x, 27)),
            constant(int64_t(0x94D049BB133111EBull)));
    return bitXor(x, shiftRight(x, 31));
  }
};

/// The blocks that may not be drawn any more, ascending; absent ones are
/// `infinity`, so that the list has a length known at compile time.
struct Excluded {
  Bits bits;
  Value infinity;
  SmallVector<Value> sorted;

  void insert(Value x) {
    for (Value &entry : sorted) {
      Value smaller = arith::MinSIOp::create(bits.b, bits.loc, entry, x);
      x = arith::MaxSIOp::create(bits.b, bits.loc, entry, x);
      entry = smaller;
    }
    sorted.push_back(x);
  }
  /// Number of blocks that are excluded.
  Value size() const {
    Value count = bits.constant(0);
    for (Value entry : sorted)
      count = bits.add(count, bits.select(bits.less(entry, infinity),
                                          bits.constant(1), bits.constant(0)));
    return count;
  }
  /// The x-th smallest block (from 0) that is not excluded.
  Value pick(Value x) const {
    for (Value entry : sorted) {
      Value past = arith::CmpIOp::create(bits.b, bits.loc,
                                         arith::CmpIPredicate::sle, entry, x);
      x = bits.add(x, bits.select(past, bits.constant(1), bits.constant(0)));
    }
    return x;
  }
};
} // namespace

/// Emits the draw for one row block: r values, -1 where none is left. All
/// operands are i64.
static SmallVector<Value> emitDraw(OpBuilder &b, Location loc,
                                   const Mask::RandomOptions &options,
                                   Value head, Value rowBlock,
                                   Value numBlocks) {
  Bits bits{b, loc};
  Value zero = bits.constant(0), none = bits.constant(-1);
  Value last = bits.sub(numBlocks, bits.constant(1));
  Excluded excluded{
      bits, bits.constant(std::numeric_limits<int32_t>::max()), {}};
  Value drawsNone = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  if (std::optional<int64_t> radius = options.bigBirdWindowRadius) {
    auto insertIf = [&](Value condition, Value block) {
      excluded.insert(bits.select(condition, block, excluded.infinity));
    };
    excluded.insert(zero);
    insertIf(bits.less(zero, last), last);
    for (int64_t offset = -*radius; offset <= *radius; ++offset) {
      Value block = bits.add(rowBlock, bits.constant(offset));
      insertIf(arith::AndIOp::create(b, loc, bits.less(zero, block),
                                     bits.less(block, last)),
               block);
    }
    Value isFirst =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rowBlock, zero);
    Value isLast =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rowBlock, last);
    drawsNone = arith::OrIOp::create(b, loc, isFirst, isLast);
  }
  // key(s, h, I) = splitmix64(splitmix64(splitmix64(s) ^ h) ^ I)
  Value key = bits.constant(int64_t(splitmix64(options.seed)));
  key = bits.splitmix(bits.bitXor(key, head));
  key = bits.splitmix(bits.bitXor(key, rowBlock));
  Value available = bits.sub(numBlocks, excluded.size());
  SmallVector<Value> drawn;
  for (int64_t t = 0; t < options.blocksPerRow; ++t) {
    // m = nb - |E| - t;  u = splitmix64(key ^ t) >> 32;  x = (u * m) >> 32
    Value m = bits.sub(available, bits.constant(t));
    Value u =
        bits.shiftRight(bits.splitmix(bits.bitXor(key, bits.constant(t))), 32);
    Value x = bits.shiftRight(bits.mul(u, m), 32);
    Value stop =
        arith::OrIOp::create(b, loc, drawsNone, bits.less(m, bits.constant(1)));
    Value block = excluded.pick(x);
    drawn.push_back(bits.select(stop, none, block));
    excluded.insert(bits.select(stop, excluded.infinity, block));
  }
  return drawn;
}

/// Ends a forall over (head, row block), in `args` with the table: writes one
/// row of it.
static void insertDraws(OpBuilder &b, Location loc, ArrayRef<Value> drawn,
                        ValueRange args) {
  Value head = args[0], rowBlock = args[1], table = args[2];
  int64_t count = drawn.size();
  SmallVector<OpFoldResult> offsets = {head, rowBlock, b.getIndexAttr(0)};
  SmallVector<OpFoldResult> sizes = {b.getIndexAttr(1), b.getIndexAttr(1),
                                     b.getIndexAttr(count)};
  SmallVector<OpFoldResult> strides(3, b.getIndexAttr(1));
  auto type = RankedTensorType::get({count}, b.getI32Type());
  Value row = tensor::ExtractSliceOp::create(b, loc, type, table, offsets,
                                             sizes, strides);
  for (auto [t, block] : llvm::enumerate(drawn)) {
    Value narrow = arith::TruncIOp::create(b, loc, b.getI32Type(), block);
    Value place = arith::ConstantIndexOp::create(b, loc, t);
    row = tensor::InsertOp::create(b, loc, narrow, row, place);
  }
  auto terminator = scf::InParallelOp::create(b, loc);
  b.setInsertionPointToStart(terminator.getBody());
  tensor::ParallelInsertSliceOp::create(b, loc, row, table, offsets, sizes,
                                        strides);
}

void transforms::markAsGrid(scf::ForallOp loop) {
  SmallVector<Attribute> mapping;
  for (int64_t dim = 0; dim < loop.getRank(); ++dim)
    mapping.push_back(GridAttr::get(loop.getContext(), dim));
  loop.setMappingAttr(ArrayAttr::get(loop.getContext(), mapping));
}

bool transforms::isGrid(scf::ForallOp loop) {
  return llvm::any_of(loop.getDeviceMappingAttrs(),
                      [](Attribute mapped) { return isa<GridAttr>(mapped); });
}

void transforms::forgetGrids(Operation *root) {
  auto scatters = [](scf::ForallOp loop) {
    return llvm::any_of(loop.getTerminator().getYieldingOps(),
                        [](Operation &op) { return isa<ScatterRowsOp>(op); });
  };
  // Upstream takes a loop that runs once and has no mapping away, and with it
  // what it combines, unless that is one slice a result.
  root->walk([&](scf::ForallOp loop) {
    if (isGrid(loop) && !scatters(loop))
      loop.removeMappingAttr();
    loop->removeAttr(kTogetherAttr);
  });
}

RandomTables::RandomTables(OpBuilder &b, MaskedReductionOpInterface op,
                           const ReductionShapes &shapes, const Plan &plan)
    : areOfBatches(shapes.keyLengths || shapes.hasPositions()) {
  Location loc = op.getLoc();
  IndexMath math{b, loc};
  SmallVector<Mask::RandomOptions> wanted =
      collectDraws(op).value_or(SmallVector<Mask::RandomOptions>());
  for (const RowClass &cls : plan.classes)
    for (const Draw &draw : cls.draws)
      wanted.push_back(draw.random);
  for (const Mask::RandomOptions &options : wanted) {
    if (find(options))
      continue;
    // How far positions go is known at run time only; blocks of rows are no
    // more than these.
    Value rowBlocks =
        shapes.hasPositions()
            ? math.add(math.ceilDiv(shapes.numTensorRows, options.block),
                       math.constant(1))
            : math.ceilDiv(shapes.numKeys, options.block);
    Value heads = options.perHead ? shapes.queryHeads : math.constant(1);
    Value allHeads = heads;
    if (areOfBatches)
      allHeads = b.createOrFold<arith::MulIOp>(loc, shapes.batch, heads);
    Value table = tensor::EmptyOp::create(
        b, loc,
        ArrayRef<OpFoldResult>{getAsOpFoldResult(allHeads),
                               getAsOpFoldResult(rowBlocks),
                               b.getIndexAttr(options.blocksPerRow)},
        b.getI32Type());
    tables.push_back({options, table, rowBlocks, heads});
    // Without blocks there is nothing to draw.
    if (getConstantIntValue(rowBlocks) != int64_t(0))
      fill(b, loc, shapes, tables.back());
  }
}

void RandomTables::fill(OpBuilder &b, Location loc,
                        const ReductionShapes &shapes, Table &table) {
  auto toI64 = [&](OpBuilder &nested, Value x) -> Value {
    return arith::IndexCastOp::create(nested, loc, nested.getI64Type(), x);
  };
  const Mask::RandomOptions &options = table.options;
  Value allHeads = getValueOrCreateConstantIndexOp(
      b, loc, tensor::getMixedSize(b, loc, table.blocks, 0));
  auto forall = scf::ForallOp::create(
      b, loc, getAsOpFoldResult(ValueRange{allHeads, table.rowBlocks}),
      table.blocks, std::nullopt,
      [&](OpBuilder &body, Location, ValueRange args) {
        IndexMath math{body, loc};
        Value head = args[0], rowBlocks = table.rowBlocks, row = args[1];
        if (areOfBatches) {
          Value batch =
              body.createOrFold<arith::DivUIOp>(loc, head, table.heads);
          head = body.createOrFold<arith::RemUIOp>(loc, head, table.heads);
          ReductionShapes here = shapes.ofBatch(body, loc, batch);
          rowBlocks = math.ceilDiv(here.numKeys, options.block);
          row = math.add(row, firstBlock(body, loc, table, here));
        }
        Value absoluteHead =
            options.perHead ? math.add(head, shapes.headOrigin) : head;
        SmallVector<Value> drawn =
            emitDraw(body, loc, options, toI64(body, absoluteHead),
                     toI64(body, row), toI64(body, rowBlocks));
        insertDraws(body, loc, drawn, args);
      });
  markAsGrid(forall);
  table.blocks = forall.getResult(0);
}

Value RandomTables::headOf(OpBuilder &b, Location loc, const Table &table,
                           Value batch, Value queryHead) const {
  IndexMath math{b, loc};
  Value head = table.options.perHead ? queryHead : math.constant(0);
  if (!areOfBatches)
    return head;
  Value before = b.createOrFold<arith::MulIOp>(loc, batch, table.heads);
  return math.add(before, head);
}

Value RandomTables::firstBlock(OpBuilder &b, Location loc, const Table &table,
                               const ReductionShapes &here) const {
  IndexMath math{b, loc};
  if (!here.slots)
    return math.constant(0);
  return math.max(math.floorDiv(here.firstPosition, table.options.block),
                  math.constant(0));
}

const RandomTables::Table *
RandomTables::find(const Mask::RandomOptions &options) const {
  for (const Table &table : tables)
    if (sameDraw(table.options, options))
      return &table;
  return nullptr;
}

Value RandomTables::drawn(OpBuilder &b, Location loc,
                          const Mask::RandomOptions &options,
                          const ReductionShapes &here, Value batch,
                          Value queryHead, Value rowBlock, int64_t t) const {
  const Table *table = find(options);
  // Rows outside the table (ragged tiles, positions below zero) draw nothing.
  Value index = arith::IndexCastOp::create(b, loc, b.getIndexType(), rowBlock);
  index = IndexMath{b, loc}.sub(index, firstBlock(b, loc, *table, here));
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value last = arith::SubIOp::create(b, loc, table->rowBlocks, one);
  Value clamped = arith::MinSIOp::create(
      b, loc, arith::MaxSIOp::create(b, loc, index, zero), last);
  Value head = headOf(b, loc, *table, batch, queryHead);
  Value place = arith::ConstantIndexOp::create(b, loc, t);
  Value block = tensor::ExtractOp::create(b, loc, table->blocks,
                                          ValueRange{head, clamped, place});
  Value none = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(-1));
  Value inside =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, clamped, index);
  return arith::SelectOp::create(b, loc, inside, block, none);
}

//===----------------------------------------------------------------------===//
// Tiles of a query tile
//===----------------------------------------------------------------------===//

/// Appends `tile` to `list` where `wanted` holds and it is not there yet.
static TileList appendOnce(OpBuilder &b, Location loc, TileList list,
                           Value tile, Value wanted) {
  IndexMath math{b, loc};
  auto seen = scf::ForOp::create(
      b, loc, math.constant(0), list.count, math.constant(1), wanted,
      [&](OpBuilder &nested, Location, Value t, ValueRange fresh) {
        Value earlier = tensor::ExtractOp::create(nested, loc, list.tiles, t);
        Value differs = arith::CmpIOp::create(
            nested, loc, arith::CmpIPredicate::ne, earlier, tile);
        Value still =
            arith::AndIOp::create(nested, loc, fresh.front(), differs);
        scf::YieldOp::create(nested, loc, still);
      });
  // Written past the end where it is not wanted: the count does not move, and
  // the list has one spare place.
  Value tiles = tensor::InsertOp::create(b, loc, tile, list.tiles, list.count);
  Value step =
      math.select(seen.getResult(0), math.constant(1), math.constant(0));
  return {tiles, math.add(list.count, step)};
}

TileList RandomTables::listTiles(OpBuilder &b, Location loc,
                                 const RowClass &cls, TileShape tile,
                                 const TileExprVariables &variables,
                                 ArrayRef<TileRun> runs, const QueryTile &at,
                                 const ReductionShapes &here) const {
  if (cls.draws.empty())
    return {};
  IndexMath math{b, loc};
  // One spare place: see appendOnce.
  int64_t capacity = cls.maxDrawnTiles(tile) + 1;
  TileList list = {tensor::EmptyOp::create(b, loc, ArrayRef<int64_t>{capacity},
                                           b.getIndexType()),
                   math.constant(0)};
  Value one = math.constant(1);
  for (const Draw &draw : cls.draws) {
    const Mask::RandomOptions &options = draw.random;
    const Table *table = find(options);
    Value low = emitTileExpr(b, loc, draw.begin, variables);
    Value high =
        emitEndWhere(b, loc, draw.when,
                     emitTileExpr(b, loc, draw.end, variables), low, variables);
    // Row blocks of the positions that exist, as the table has them.
    Value before = firstBlock(b, loc, *table, here);
    Value beginBlock =
        math.max(math.sub(math.floorDiv(at.position, options.block), before),
                 math.constant(0));
    Value endBlock = math.min(
        math.sub(math.ceilDiv(math.add(at.position, at.rows), options.block),
                 before),
        table->rowBlocks);
    if (here.slots)
      low = math.max(low, math.floorDiv(here.slots->ofKeys, tile.keys));
    Value head = headOf(b, loc, *table, at.batch, at.head);

    auto visitPick = [&](OpBuilder &nested, Value rowBlock, Value t,
                         TileList current) -> TileList {
      IndexMath m{nested, loc};
      Value drawn = tensor::ExtractOp::create(nested, loc, table->blocks,
                                              ValueRange{head, rowBlock, t});
      Value block =
          arith::IndexCastOp::create(nested, loc, nested.getIndexType(), drawn);
      // Tiles [J b / Bn, ceil(min((J + 1) b, N) / Bn), none for J = -1.
      Value start = m.mul(block, options.block);
      Value first = m.max(m.floorDiv(start, tile.keys), low);
      Value stop = m.ceilDiv(
          m.min(m.add(start, m.constant(options.block)), variables.nk),
          tile.keys);
      stop = m.min(stop, high);
      Value exists = m.compare(arith::CmpIPredicate::sge, block, m.constant(0));
      stop = m.select(exists, stop, first);
      auto loop = scf::ForOp::create(
          nested, loc, first, stop, one,
          ValueRange{current.tiles, current.count},
          [&](OpBuilder &body, Location, Value keyTile, ValueRange carried) {
            Value wanted =
                arith::ConstantOp::create(body, loc, body.getBoolAttr(true));
            for (const TileRun &run : runs) {
              if (!run.layout->isContiguous())
                continue;
              Value outside = run.leavesOut(body, loc, keyTile);
              wanted = arith::AndIOp::create(body, loc, wanted, outside);
            }
            TileList next = appendOnce(body, loc, {carried[0], carried[1]},
                                       keyTile, wanted);
            scf::YieldOp::create(body, loc, ValueRange{next.tiles, next.count});
          });
      return {loop.getResult(0), loop.getResult(1)};
    };

    auto blocks = scf::ForOp::create(
        b, loc, beginBlock, endBlock, one, ValueRange{list.tiles, list.count},
        [&](OpBuilder &outer, Location, Value rowBlock, ValueRange carried) {
          auto picks = scf::ForOp::create(
              outer, loc, math.constant(0), math.constant(options.blocksPerRow),
              one, carried,
              [&](OpBuilder &inner, Location, Value t, ValueRange state) {
                TileList next =
                    visitPick(inner, rowBlock, t, {state[0], state[1]});
                scf::YieldOp::create(inner, loc,
                                     ValueRange{next.tiles, next.count});
              });
          scf::YieldOp::create(outer, loc, picks.getResults());
        });
    list = {blocks.getResult(0), blocks.getResult(1)};
  }
  return list;
}
