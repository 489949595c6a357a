//===- DistributeFragments.cpp - --sparse-attn-distribute-fragments -------===//
//
// Walks a launch once. Each operation on vectors of a tile's shape is replaced
// by one on fragments (Fragment.h), by the few rules below; there is no rule a
// mask or a score modifier would need.
//
//===----------------------------------------------------------------------===//

#include "Axes.h"
#include "ColumnRange.h"
#include "FlatTile.h"
#include "Fragment.h"
#include "PendingSums.h"
#include "Products.h"
#include "Progression.h"
#include "SparseAttn/GPU/Passes.h"
#include "StagedRow.h"
#include "Transfers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNDISTRIBUTEFRAGMENTS
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
/// Distributes one launch.
class Distribution {
public:
  Distribution(gpu::LaunchOp launch, int64_t numWarps, OpBuilder &b)
      : launch(launch), axes(launch), b(b), threads(b, launch, numWarps) {}

  LogicalResult run() {
    if (failed(distribute(launch.getBody().front())))
      return failure();
    for (Operation *op : llvm::reverse(replaced))
      op->dropAllReferences();
    for (Operation *op : llvm::reverse(replaced))
      op->erase();
    return success();
  }

private:
  LogicalResult distribute(Block &block);
  LogicalResult distribute(Operation *op);

  LogicalResult elementwise(Operation *op);
  LogicalResult flatElementwise(Operation *op);
  LogicalResult broadcast(vector::BroadcastOp op);
  LogicalResult transpose(vector::TransposeOp op);
  LogicalResult step(vector::StepOp op);
  LogicalResult reduction(vector::MultiDimReductionOp op);
  LogicalResult agreement(vector::MultiDimReductionOp op);
  LogicalResult product(vector::ContractionOp op);
  LogicalResult read(vector::TransferReadOp op);
  LogicalResult write(vector::TransferWriteOp op);
  LogicalResult staged(StagedTileOp op);
  LogicalResult row(vector::ExtractOp op);
  LogicalResult stage(StageTileOp op);
  LogicalResult store(memref::StoreOp op);
  LogicalResult gather(vector::GatherOp op);
  LogicalResult loop(scf::ForOp op);
  LogicalResult branch(scf::IfOp op);

  /// What `value` is held as; a scalar is a uniform fragment of itself.
  Fragment fragmentOf(Value value);
  /// The same with its elements at hand and its sum over the row's lanes taken.
  Fragment complete(Value value);
  void setLanes(Value value, Extent extent, Value lanes,
                bool isPendingSum = false);
  /// The extent of a vector that loops carry or memory holds.
  Extent naturalExtent(Value value) const;
  Value expanded(Value value, Extent extent, VectorType shape);

  gpu::LaunchOp launch;
  Axes axes;
  OpBuilder &b;
  Threads threads;
  DenseMap<Value, Fragment> fragments;
  /// Pending sums that have been taken in a block. The parts stay in
  /// `fragments`: what is linear in them goes on with those.
  DenseMap<std::pair<Value, Block *>, Value> sums;
  SmallVector<Operation *> replaced;
};
} // namespace

static bool isVector(Value value) { return isa<VectorType>(value.getType()); }

/// Rows and columns of a value: a vector<N> has N of both, of which only one
/// matters.
static std::pair<int64_t, int64_t> shapeOf(VectorType type) {
  if (type.getRank() == 1)
    return {type.getDimSize(0), type.getDimSize(0)};
  return {type.getDimSize(0), type.getDimSize(1)};
}

Fragment Distribution::fragmentOf(Value value) {
  if (auto known = fragments.find(value); known != fragments.end())
    return known->second;
  Fragment fragment;
  fragment.lanes = value;
  // Constants may stand outside the launch.
  SplatElementsAttr splat;
  if (matchPattern(value, m_Constant(&splat)))
    fragment.lanes = arith::ConstantOp::create(
        b, value.getLoc(), splat.getSplatValue<TypedAttr>());
  return fragment;
}

Fragment Distribution::complete(Value value) {
  Location loc = value.getLoc();
  Fragment fragment = fragmentOf(value);
  if (isColumnRange(fragment)) {
    int64_t rows = shapeOf(cast<VectorType>(value.getType())).first;
    return materializeRange(b, loc, threads, fragment, rows);
  }
  fragment = materialize(b, loc, fragment);
  if (!fragment.isPendingSum)
    return fragment;
  fragment.isPendingSum = false;
  // An earlier operation of the block, or of one around it, may have taken the
  // sum.
  Block *here = b.getInsertionBlock();
  for (Block *block = here; block; block = block->getParentOp()->getBlock())
    if (Value sum = sums.lookup({value, block})) {
      fragment.lanes = sum;
      return fragment;
    }
  fragment.lanes = sums[{value, here}] =
      reduceOverQuad(b, loc, fragment.lanes,
                     [&](OpBuilder &nested, Value x, Value y) -> Value {
                       return arith::AddFOp::create(nested, loc, x, y);
                     });
  return fragment;
}

void Distribution::setLanes(Value value, Extent extent, Value lanes,
                            bool isPendingSum) {
  Fragment fragment;
  fragment.extent = extent;
  fragment.lanes = lanes;
  fragment.isPendingSum = isPendingSum;
  fragments[value] = fragment;
}

Extent Distribution::naturalExtent(Value value) const {
  if (cast<VectorType>(value.getType()).getRank() == 2)
    return {true, true};
  bool alongColumns = axes.isAlongColumns(value);
  return {!alongColumns, alongColumns};
}

Value Distribution::expanded(Value value, Extent extent, VectorType shape) {
  auto [rows, columns] = shapeOf(shape);
  return threads.expand(b, value.getLoc(), complete(value), extent, rows,
                        columns);
}

//===----------------------------------------------------------------------===//
// Values that vary along one axis, and elementwise operations
//===----------------------------------------------------------------------===//

/// Of the elements of one staged tile, in whatever order.
LogicalResult Distribution::flatElementwise(Operation *op) {
  Location loc = op->getLoc();
  SmallVector<Fragment> operands;
  int64_t count = 0;
  for (Value operand : op->getOperands()) {
    Fragment fragment = fragmentOf(operand);
    if (fragment.staged.pointer)
      fragment = loadFlat(b, loc, threads, fragment.staged);
    if (fragment.isFlat)
      count = cast<VectorType>(fragment.lanes.getType()).getNumElements();
    else if (!fragment.extent.isUniform())
      return op->emitOpError("joins a tile in shared memory with one that "
                             "threads hold, and cannot be distributed");
    operands.push_back(fragment);
  }
  IRMapping map;
  for (auto [operand, fragment] : llvm::zip(op->getOperands(), operands)) {
    if (!fragment.isFlat) {
      auto type = VectorType::get({count}, fragment.lanes.getType());
      fragment.lanes =
          vector::BroadcastOp::create(b, loc, type, fragment.lanes);
    }
    map.map(operand, fragment.lanes);
  }
  Operation *clone = b.clone(*op, map);
  Value result = op->getResult(0);
  clone->getResult(0).setType(
      VectorType::get({count}, getElementTypeOrSelf(result)));
  fragments[result].lanes = clone->getResult(0);
  fragments[result].isFlat = true;
  return success();
}

LogicalResult Distribution::elementwise(Operation *op) {
  if (llvm::any_of(op->getOperands(), [&](Value operand) {
        Fragment fragment = fragmentOf(operand);
        return fragment.isFlat || fragment.staged.pointer;
      }))
    return flatElementwise(op);
  Value result = op->getResult(0);
  auto shape = cast<VectorType>(result.getType());
  auto known = [&](Value value) { return fragmentOf(value); };
  std::optional<Fragment> kept = continueProgression(b, op, known);
  if (!kept)
    kept = continueRange(b, op, known);
  if (kept) {
    fragments[result] = *kept;
    return success();
  }
  bool isPendingSum =
      staysPendingSum(op, [&](Value v) { return fragmentOf(v).isPendingSum; });
  Extent extent;
  for (Value operand : op->getOperands())
    extent = extent.join(fragmentOf(operand).extent);
  IRMapping map;
  auto [rows, columns] = shapeOf(shape);
  for (Value operand : op->getOperands()) {
    if (!isVector(operand))
      continue;
    Fragment fragment = isPendingSum ? fragmentOf(operand) : complete(operand);
    map.map(operand,
            threads.expand(b, op->getLoc(), fragment, extent, rows, columns));
  }
  Operation *clone = b.clone(*op, map);
  clone->getResult(0).setType(lanesType(shape.getElementType(), extent,
                                        threads.count(extent, rows, columns)));
  setLanes(result, extent, clone->getResult(0), isPendingSum);
  return success();
}

LogicalResult Distribution::broadcast(vector::BroadcastOp op) {
  Fragment fragment = fragmentOf(op.getSource());
  fragments[op.getVector()] =
      fragment.isPendingSum ? complete(op.getSource()) : fragment;
  return success();
}

/// The only transposes are those of a tile that repeats one row value along
/// its columns: the value is the same.
LogicalResult Distribution::transpose(vector::TransposeOp op) {
  Fragment fragment = complete(op.getVector());
  if (fragment.extent.isTile())
    return op.emitOpError("of a whole tile would move elements between "
                          "threads, which is not supported");
  fragments[op.getResult()] = fragment;
  return success();
}

/// The number of each row, or of each column.
LogicalResult Distribution::step(vector::StepOp op) {
  Location loc = op.getLoc();
  auto [rows, columns] = shapeOf(op.getType());
  if (naturalExtent(op.getResult()).columns) {
    fragments[op.getResult()] = columnNumbers(b, loc, threads, columns);
    return success();
  }
  SmallVector<Value> numbers;
  for (int64_t i = 0; i < 2 * threads.bands(rows); ++i)
    numbers.push_back(arith::IndexCastUIOp::create(
        b, loc, b.getIndexType(), threads.rowOf(b, loc, i / 2, i % 2)));
  auto type =
      VectorType::get({static_cast<int64_t>(numbers.size())}, b.getIndexType());
  setLanes(op.getResult(), {true, false},
           vector::FromElementsOp::create(b, loc, type, numbers));
  return success();
}

//===----------------------------------------------------------------------===//
// Reductions and products
//===----------------------------------------------------------------------===//

static Value join(OpBuilder &b, Location loc, vector::CombiningKind kind,
                  Value x, Value y) {
  return vector::makeArithReduction(b, loc, kind, x, y);
}

/// Whether a predicate holds for all rows or elements of a tile: for all of the
/// thread's, and then for those of all threads by a barrier.
LogicalResult Distribution::agreement(vector::MultiDimReductionOp op) {
  Location loc = op.getLoc();
  Fragment fragment = complete(op.getSource());
  Value mine = fragment.lanes;
  if (isVector(mine))
    mine =
        vector::ReductionOp::create(b, loc, vector::CombiningKind::AND, mine);
  mine = arith::ExtUIOp::create(b, loc, b.getI32Type(), mine);
  auto kind = NVVM::BarrierReductionAttr::get(b.getContext(),
                                              NVVM::BarrierReduction::AND);
  Value all = NVVM::BarrierOp::create(b, loc, TypeRange{b.getI32Type()},
                                      /*barrierId=*/Value(),
                                      /*numberOfThreads=*/Value(), kind, mine)
                  .getResult(0);
  Value zero = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
  all = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, all, zero);
  op.getResult().replaceAllUsesWith(
      b.createOrFold<arith::AndIOp>(loc, op.getAcc(), all));
  return success();
}

LogicalResult Distribution::reduction(vector::MultiDimReductionOp op) {
  if (op.getType().isInteger(1) && op.getKind() == vector::CombiningKind::AND)
    return agreement(op);
  if (op.getReductionDims() != ArrayRef<int64_t>{1} ||
      op.getSourceVectorType().getRank() != 2)
    return op.emitOpError("is not along the keys of a tile, and cannot be "
                          "distributed over threads");
  Location loc = op.getLoc();
  vector::CombiningKind kind = op.getKind();
  VectorType source = op.getSourceVectorType();
  int64_t columns = source.getDimSize(1);
  Value tile = expanded(op.getSource(), {true, true}, source);
  // Within the thread: four elements of every group of 8 columns at a time,
  // then the two of a row.
  SmallVector<Value> parts;
  for (int64_t band = 0; band < threads.bands(source.getDimSize(0)); ++band) {
    Value four;
    for (int64_t c = 0; c < columns / 8; ++c) {
      int64_t first = (band * columns / 8 + c) * 4;
      Value next =
          shuffle(b, loc, tile, {first, first + 1, first + 2, first + 3});
      four = four ? join(b, loc, kind, four, next) : next;
    }
    auto all = vector::ToElementsOp::create(b, loc, four);
    for (int64_t half : {0, 1})
      parts.push_back(join(b, loc, kind, all.getResult(2 * half),
                           all.getResult(2 * half + 1)));
  }
  auto type = VectorType::get({static_cast<int64_t>(parts.size())},
                              source.getElementType());
  Value lanes = vector::FromElementsOp::create(b, loc, type, parts);
  Extent rows{true, false};
  Fragment accumulator = fragmentOf(op.getAcc());
  // The lanes' sums can be added later: once, after the last tile.
  if (kind == vector::CombiningKind::ADD &&
      (accumulator.isPendingSum || isZero(op.getAcc()))) {
    if (accumulator.isPendingSum)
      lanes = join(b, loc, kind, accumulator.lanes, lanes);
    setLanes(op.getResult(), rows, lanes, /*isPendingSum=*/true);
    return success();
  }
  lanes =
      reduceOverQuad(b, loc, lanes, [&](OpBuilder &nested, Value x, Value y) {
        return join(nested, loc, kind, x, y);
      });
  Value start =
      expanded(op.getAcc(), rows, cast<VectorType>(op.getAcc().getType()));
  setLanes(op.getResult(), rows, join(b, loc, kind, start, lanes));
  return success();
}

LogicalResult Distribution::product(vector::ContractionOp op) {
  AffineExpr m, n, k;
  bindDims(op.getContext(), m, n, k);
  auto isMap = [&](unsigned i, AffineExpr x, AffineExpr y) {
    return op.getIndexingMapsArray()[i] ==
           AffineMap::get(3, 0, {x, y}, op.getContext());
  };
  bool rightIsTransposed = isMap(1, n, k);
  Fragment right = fragmentOf(op.getRhs());
  if (!isMap(0, m, k) || !isMap(2, m, n) ||
      !(rightIsTransposed || isMap(1, k, n)) || !right.staged.pointer)
    return op.emitOpError("is not a product of a tile that threads hold with "
                          "one in shared memory; run "
                          "'sparse-attn-stage-operands' first");
  auto result = cast<VectorType>(op.getResultType());
  VectorType left = op.getLhsType();
  Fragment leftTile = fragmentOf(op.getLhs());
  if (!leftTile.staged.pointer)
    leftTile.lanes = expanded(op.getLhs(), {true, true}, left);
  Product product{expanded(op.getAcc(), {true, true}, result),
                  leftTile,
                  right.staged,
                  rightIsTransposed,
                  result.getDimSize(0),
                  result.getDimSize(1),
                  left.getDimSize(1),
                  isZero(op.getAcc())};
  setLanes(op.getResult(), {true, true},
           emitProduct(b, op.getLoc(), threads, product));
  return success();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

LogicalResult Distribution::read(vector::TransferReadOp op) {
  VectorType type = op.getVectorType();
  if (type.getRank() == 2 && type.getDimSize(0) % (16 * threads.numWarps) != 0)
    return op.emitOpError("is of ")
           << type.getDimSize(0) << " rows, which " << threads.numWarps
           << " warps of 16 rows each cannot share evenly, and no product "
              "takes it from shared memory";
  FailureOr<Fragment> fragment = emitRead(b, threads, op);
  if (failed(fragment))
    return failure();
  fragments[op.getResult()] = *fragment;
  return success();
}

LogicalResult Distribution::write(vector::TransferWriteOp op) {
  return emitWrite(b, threads, op, complete(op.getVector()));
}

LogicalResult Distribution::staged(StagedTileOp op) {
  Fragment fragment;
  fragment.staged.type = cast<VectorType>(op.getTile().getType());
  fragment.staged.pointer =
      sharedPointer(b, op.getLoc(), op.getMemory(), op.getOffset());
  fragments[op.getTile()] = fragment;
  return success();
}

LogicalResult Distribution::row(vector::ExtractOp op) {
  Fragment source = fragmentOf(op.getSource());
  if (!source.staged.pointer || op.getNumIndices() != 1)
    return op.emitOpError("is not of a row of a tile in shared memory, and "
                          "cannot be distributed over threads");
  Location loc = op.getLoc();
  Value number =
      getValueOrCreateConstantIndexOp(b, loc, op.getMixedPosition()[0]);
  number = arith::IndexCastUIOp::create(b, loc, b.getI32Type(), number);
  fragments[op.getResult()] =
      loadStagedRow(b, loc, threads, source.staged, number);
  return success();
}

LogicalResult Distribution::stage(StageTileOp op) {
  emitStage(b, threads, op);
  return success();
}

/// What a block stores once, its first thread stores; into shared memory, for
/// all to read.
LogicalResult Distribution::store(memref::StoreOp op) {
  Location loc = op.getLoc();
  Value zero = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
  Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                        threads.thread, zero);
  scf::IfOp::create(b, loc, isFirst, [&](OpBuilder &then, Location) {
    then.clone(*op);
    scf::YieldOp::create(then, loc);
  });
  if (gpu::GPUDialect::hasWorkgroupMemoryAddressSpace(op.getMemRefType()))
    gpu::BarrierOp::create(b, loc);
  return success();
}

/// Entries of a table, one for each element along which the index varies.
LogicalResult Distribution::gather(vector::GatherOp op) {
  Location loc = op.getLoc();
  if (!matchPattern(op.getMask(), m_One()))
    return op.emitOpError("has a mask, and cannot be distributed over threads");
  Fragment index = complete(op.getIndices());
  Type element = op.getVectorType().getElementType();
  auto load = [&](Value place) {
    return loadFlat(b, loc, op.getBase(), op.getOffsets(), place);
  };
  if (index.extent.isUniform()) {
    setLanes(op.getResult(), {}, load(index.lanes));
    return success();
  }
  auto places = vector::ToElementsOp::create(b, loc, index.lanes);
  SmallVector<Value> loaded = llvm::map_to_vector(places.getResults(), load);
  auto type = VectorType::get({static_cast<int64_t>(loaded.size())}, element);
  setLanes(op.getResult(), index.extent,
           vector::FromElementsOp::create(b, loc, type, loaded));
  return success();
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

static bool hasProducts(scf::ForOp op) {
  return op.walk([](vector::ContractionOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

/// For loops over elements, which only rare inputs reach: unrolled they would
/// cost every block registers.
static Attribute neverUnroll(MLIRContext *context) {
  auto unroll = LLVM::LoopUnrollAttr::get(
      context, /*disable=*/BoolAttr::get(context, true), {}, {}, {}, {}, {},
      {});
  return LLVM::LoopAnnotationAttr::get(context, {}, {}, {}, unroll, {}, {}, {},
                                       {}, {}, {}, {}, {}, {}, {}, {});
}

LogicalResult Distribution::loop(scf::ForOp op) {
  if (llvm::none_of(op.getInitArgs(), isVector))
    return distribute(*op.getBody());
  SmallVector<Value> inits;
  SmallVector<Extent> extents;
  SmallVector<bool> pending;
  for (auto [init, arg, yielded] : llvm::zip(
           op.getInitArgs(), op.getRegionIterArgs(), op.getYieldedValues())) {
    if (!isVector(init)) {
      inits.push_back(init);
      extents.push_back({});
      pending.push_back(false);
      continue;
    }
    auto type = cast<VectorType>(init.getType());
    auto [rows, columns] = shapeOf(type);
    Extent extent = naturalExtent(arg);
    bool isPending = (isZero(init) || fragmentOf(init).isPendingSum) &&
                     carriesPendingSum(arg, yielded);
    Fragment start = isPending ? fragmentOf(init) : complete(init);
    inits.push_back(
        threads.expand(b, op.getLoc(), start, extent, rows, columns));
    extents.push_back(extent);
    pending.push_back(isPending);
  }
  auto loop = scf::ForOp::create(b, op.getLoc(), op.getLowerBound(),
                                 op.getUpperBound(), op.getStep(), inits);
  if (!hasProducts(op))
    loop->setAttr("llvm.loop_annotation", neverUnroll(b.getContext()));
  Block &body = *loop.getBody();
  op.getInductionVar().replaceAllUsesWith(loop.getInductionVar());
  for (auto [i, arg] : llvm::enumerate(op.getRegionIterArgs())) {
    if (isVector(arg)) {
      setLanes(arg, extents[i], loop.getRegionIterArg(i), pending[i]);
      setLanes(op.getResult(i), extents[i], loop.getResult(i), pending[i]);
    } else {
      arg.replaceAllUsesWith(loop.getRegionIterArg(i));
      op.getResult(i).replaceAllUsesWith(loop.getResult(i));
    }
  }
  // An empty body has no terminator yet where values are carried.
  body.getOperations().splice(body.end(), op.getBody()->getOperations());
  if (failed(distribute(body)))
    return failure();
  Operation *yield = body.getTerminator();
  b.setInsertionPoint(yield);
  for (auto [i, operand] : llvm::enumerate(yield->getOpOperands())) {
    Value value = operand.get();
    if (!isVector(value))
      continue;
    auto [rows, columns] = shapeOf(cast<VectorType>(value.getType()));
    Fragment end = pending[i] ? fragmentOf(value) : complete(value);
    operand.set(threads.expand(b, op.getLoc(), end, extents[i], rows, columns));
  }
  b.setInsertionPointAfter(loop);
  // Its block keeps the old arguments until their users are gone.
  replaced.push_back(op);
  return success();
}

static bool hasLoopsOfProducts(Region &region) {
  return region
      .walk([](scf::ForOp loop) {
        return hasProducts(loop) ? WalkResult::interrupt()
                                 : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Both blocks hand on what threads hold. A block with loops over tiles of its
/// own, which only rare inputs reach, computes all addresses and positions
/// anew, and so does what comes behind it: else every thread would keep, for
/// their sake, registers through the loops that came before.
LogicalResult Distribution::branch(scf::IfOp op) {
  Location loc = op.getLoc();
  SmallVector<Type> types(op.getResultTypes());
  SmallVector<Extent> extents(types.size());
  for (auto [result, type, extent] :
       llvm::zip(op.getResults(), types, extents)) {
    auto vector = dyn_cast<VectorType>(type);
    if (!vector)
      continue;
    auto [rows, columns] = shapeOf(vector);
    extent = naturalExtent(result);
    type = lanesType(vector.getElementType(), extent,
                     threads.count(extent, rows, columns));
  }
  auto fresh = scf::IfOp::create(b, loc, types, op.getCondition(),
                                 /*addThenBlock=*/false,
                                 /*addElseBlock=*/false);
  fresh.getThenRegion().takeBody(op.getThenRegion());
  fresh.getElseRegion().takeBody(op.getElseRegion());
  bool isLong = false;
  for (Region *region : {&fresh.getThenRegion(), &fresh.getElseRegion()}) {
    Block &body = region->front();
    Threads outside = threads;
    if (hasLoopsOfProducts(*region)) {
      isLong = true;
      b.setInsertionPointToStart(&body);
      threads = threads.renumbered(b, loc);
    }
    if (failed(distribute(body)))
      return failure();
    threads = outside;
    b.setInsertionPoint(body.getTerminator());
    for (auto [operand, extent] :
         llvm::zip(body.getTerminator()->getOpOperands(), extents))
      if (auto vector = dyn_cast<VectorType>(operand.get().getType()))
        operand.set(expanded(operand.get(), extent, vector));
  }
  for (auto [old, result, extent] :
       llvm::zip(op.getResults(), fresh.getResults(), extents)) {
    if (isVector(old))
      setLanes(old, extent, result);
    else
      old.replaceAllUsesWith(result);
  }
  b.setInsertionPointAfter(fresh);
  if (isLong && fresh->getParentOp() == launch)
    threads = threads.renumbered(b, loc);
  replaced.push_back(op);
  return success();
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

LogicalResult Distribution::distribute(Operation *op) {
  b.setInsertionPoint(op);
  if (auto forOp = dyn_cast<scf::ForOp>(op))
    return loop(forOp);
  if (auto ifOp = dyn_cast<scf::IfOp>(op);
      ifOp && llvm::any_of(op->getResults(), isVector))
    return branch(ifOp);
  if (op->getNumRegions() > 0 && llvm::none_of(op->getResults(), isVector)) {
    for (Region &region : op->getRegions())
      for (Block &block : region)
        if (failed(distribute(block)))
          return failure();
    return success();
  }
  bool isOfTiles = isa<StageTileOp, memref::StoreOp>(op) ||
                   llvm::any_of(op->getResults(), isVector) ||
                   llvm::any_of(op->getOperands(), isVector);
  if (!isOfTiles || op->hasTrait<OpTrait::IsTerminator>())
    return success();
  LogicalResult result =
      llvm::TypeSwitch<Operation *, LogicalResult>(op)
          .Case([&](vector::BroadcastOp o) { return broadcast(o); })
          .Case([&](vector::TransposeOp o) { return transpose(o); })
          .Case([&](vector::StepOp o) { return step(o); })
          .Case([&](vector::MultiDimReductionOp o) { return reduction(o); })
          .Case([&](vector::ContractionOp o) { return product(o); })
          .Case([&](vector::TransferReadOp o) { return read(o); })
          .Case([&](vector::TransferWriteOp o) { return write(o); })
          .Case([&](StagedTileOp o) { return staged(o); })
          .Case([&](vector::ExtractOp o) { return row(o); })
          .Case([&](StageTileOp o) { return stage(o); })
          .Case([&](memref::StoreOp o) { return store(o); })
          .Case([&](vector::GatherOp o) { return gather(o); })
          .Default([&](Operation *o) -> LogicalResult {
            SplatElementsAttr splat;
            if (matchPattern(o, m_Constant(&splat)))
              return success();
            if (OpTrait::hasElementwiseMappableTraits(o) &&
                o->getNumResults() == 1 && o->getNumRegions() == 0)
              return elementwise(o);
            return o->emitOpError("cannot be distributed over threads");
          });
  replaced.push_back(op);
  return result;
}

LogicalResult Distribution::distribute(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block))
    if (failed(distribute(&op)))
      return failure();
  return success();
}

namespace {
struct DistributeFragmentsPass
    : sparse_attn::impl::SparseAttnDistributeFragmentsBase<
          DistributeFragmentsPass> {
  using Base::Base;

  void runOnOperation() override {
    WalkResult result = getOperation().walk([&](gpu::LaunchOp launch) {
      std::optional<int64_t> size = getConstantIntValue(launch.getBlockSizeX());
      if (!size || *size % 32 != 0) {
        launch.emitOpError("has no constant number of whole warps along x");
        return WalkResult::interrupt();
      }
      separatePositions(launch);
      OpBuilder b = OpBuilder::atBlockBegin(&launch.getBody().front());
      Distribution distribution(launch, *size / 32, b);
      return failed(distribution.run()) ? WalkResult::interrupt()
                                        : WalkResult::skip();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
