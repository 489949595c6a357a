//===- RowReduction.cpp - Reductions over the rows of a tile --------------===//
//
//   for n0 in 0 .. N by nv * lanes           columns of the tile
//     r[v] = R[n0 + v * lanes ..]
//     for k in 0 .. K                        rows of the tile
//       r[v], Z[k, n0 + v * lanes ..] = body(X[k, n0 + v * lanes ..], r[v])
//     R[...] = r
//
// A sum that may be reassociated is formed in groups of rows, each from zero:
// of n rounding errors only those within a group and those between groups add
// up, about 2 sqrt(n) rather than n.
//
//===----------------------------------------------------------------------===//

#include "RowReduction.h"
#include "TileVectors.h"
#include "VectorBody.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include <numeric>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::cpu;

/// Rows of a group of a sum.
constexpr int64_t kGroup = 16;

namespace {
/// A reduction [k, n] -> [n] and what comes with it.
struct RowKernel {
  linalg::GenericOp op;
  Location loc;
  int64_t k = 0, n = 0;
  int64_t lanes = 1, vectors = 1;
  /// The one operand that is reduced into, and the op that combines.
  OpOperand *result = nullptr;
  Operation *combiner = nullptr;
  TypedAttr fill; ///< the result's initial value where it is a constant

  explicit RowKernel(linalg::GenericOp op) : op(op), loc(op.getLoc()) {}

  bool isRow(OpOperand &operand) const {
    return linalg::GenericOp(op)
               .getMatchingIndexingMap(&operand)
               .getNumResults() == 1;
  }
  /// True when partial sums from zero may be added in any order.
  bool mayGroup() const {
    auto add = dyn_cast<arith::AddFOp>(combiner);
    return add && k % kGroup == 0 && k > kGroup &&
           arith::bitEnumContainsAny(add.getFastmath(),
                                     arith::FastMathFlags::reassoc);
  }
};
} // namespace

static FailureOr<RowKernel> match(RewriterBase &rewriter, linalg::GenericOp op,
                                  RegisterFile file) {
  auto fail = [&](const char *reason) {
    return rewriter.notifyMatchFailure(op, reason);
  };
  if (!op.hasPureTensorSemantics() || op.hasDynamicShape() ||
      op.getNumLoops() != 2 ||
      op.getIteratorTypesArray()[0] != utils::IteratorType::reduction ||
      op.getIteratorTypesArray()[1] != utils::IteratorType::parallel)
    return fail("not a reduction over the rows of a static tile");
  if (!isElementwiseBody(op, /*laneLoop=*/1))
    return fail("body is not elementwise");
  AffineMap row = AffineMap::get(2, 0, rewriter.getAffineDimExpr(1));
  for (AffineMap map : op.getIndexingMapsArray())
    if (!map.isIdentity() && map != row)
      return fail("operands are not laid out as X[k, n] or y[n]");
  RowKernel kernel(op);
  for (OpOperand &init : op.getDpsInitsMutable()) {
    if (!kernel.isRow(init))
      continue;
    if (kernel.result)
      return fail("more than one reduction");
    kernel.result = &init;
  }
  SmallVector<Operation *> combiners;
  if (!kernel.result ||
      !matchReduction(op.getRegionOutputArgs(),
                      kernel.result->getOperandNumber() - op.getNumDpsInputs(),
                      combiners) ||
      combiners.size() != 1)
    return fail("no single op combines rows");
  kernel.combiner = combiners.front();
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  kernel.k = sizes[0];
  kernel.n = sizes[1];
  kernel.lanes = std::gcd(kernel.n, file.lanes);
  for (int64_t v : {4, 3, 2})
    if (kernel.n / kernel.lanes % v == 0) {
      kernel.vectors = v;
      break;
    }
  if (auto fill = kernel.result->get().getDefiningOp<linalg::FillOp>())
    matchPattern(fill.getInputs()[0], m_Constant(&kernel.fill));
  return kernel;
}

/// A vector of `source`, [k, n] or [n], at column `column` of row `k`.
static Value readVector(OpBuilder &b, const RowKernel &kernel, Value source,
                        Value k, Value column) {
  SmallVector<Value> place = {k, column};
  if (cast<RankedTensorType>(source.getType()).getRank() == 1)
    place = {column};
  return cpu::readVector(b, kernel.loc, source, place, kernel.lanes);
}

/// The running values of one block: a vector of the result for each vector of
/// columns, then the tiles that are written row by row.
using Carried = SmallVector<Value>;

/// The maximum itself is never NaN when it does not start as one.
static bool mayCompare(const RowKernel &kernel, arith::MaxNumFOp op) {
  auto start = dyn_cast_or_null<FloatAttr>(kernel.fill);
  return op == kernel.combiner && start && !start.getValue().isNaN();
}

/// One row: the body on each vector of columns.
static Carried visitRow(OpBuilder &b, const RowKernel &kernel,
                        ArrayRef<Value> columns, Value k, ValueRange carried) {
  linalg::GenericOp op = kernel.op;
  Carried next(carried);
  for (auto [v, column] : llvm::enumerate(columns)) {
    SmallVector<Value> args;
    for (Value input : op.getInputs())
      args.push_back(readVector(b, kernel, input, k, column));
    unsigned tile = columns.size();
    for (OpOperand &init : op.getDpsInitsMutable())
      args.push_back(&init == kernel.result
                         ? next[v]
                         : readVector(b, kernel, next[tile++], k, column));
    SmallVector<Value> results =
        cloneOnVectors(b, op, args, {1, {k, column}, kernel.lanes});
    tile = columns.size();
    for (auto [init, result] : llvm::zip(op.getDpsInitsMutable(), results)) {
      if (&init != kernel.result) {
        next[tile] = vector::TransferWriteOp::create(
                         b, kernel.loc, result, next[tile],
                         ValueRange{k, column}, ArrayRef<bool>{true})
                         .getResult();
        ++tile;
        continue;
      }
      auto maxnum = dyn_cast<arith::MaxNumFOp>(kernel.combiner);
      next[v] = maxnum && mayCompare(kernel, maxnum)
                    ? compareInstead(b, result.getDefiningOp(), next[v])
                    : result;
    }
  }
  return next;
}

/// Rows [begin, begin + count).
static Carried visitRows(OpBuilder &b, const RowKernel &kernel,
                         ArrayRef<Value> columns, Value begin, int64_t count,
                         ValueRange carried) {
  Value end = b.createOrFold<arith::AddIOp>(
      kernel.loc, begin, constantIndex(b, kernel.loc, count));
  auto loop = scf::ForOp::create(
      b, kernel.loc, begin, end, constantIndex(b, kernel.loc, 1), carried,
      [&](OpBuilder &nested, Location, Value k, ValueRange inner) {
        scf::YieldOp::create(nested, kernel.loc,
                             visitRow(nested, kernel, columns, k, inner));
      });
  return loop.getResults();
}

/// The same in groups of rows, r += sum of a group.
static Carried visitGroups(OpBuilder &b, const RowKernel &kernel,
                           ArrayRef<Value> columns, ValueRange carried) {
  Location loc = kernel.loc;
  auto loop = scf::ForOp::create(
      b, loc, constantIndex(b, loc, 0), constantIndex(b, loc, kernel.k),
      constantIndex(b, loc, kGroup), carried,
      [&](OpBuilder &nested, Location, Value k, ValueRange outer) {
        Carried start(outer);
        TypedAttr zero = nested.getZeroAttr(
            getElementTypeOrSelf(kernel.result->get().getType()));
        for (size_t v = 0; v < columns.size(); ++v)
          start[v] = splatOf(nested, kernel.loc, zero, kernel.lanes);
        Carried next = visitRows(nested, kernel, columns, k, kGroup, start);
        for (size_t v = 0; v < columns.size(); ++v)
          next[v] = arith::AddFOp::create(nested, loc, outer[v], next[v]);
        scf::YieldOp::create(nested, loc, next);
      });
  return loop.getResults();
}

/// All rows at the columns from n0 on; `outputs` are the op's inits.
static SmallVector<Value> emitBlock(OpBuilder &b, const RowKernel &kernel,
                                    Value n0, ValueRange outputs) {
  linalg::GenericOp op = kernel.op;
  Location loc = kernel.loc;
  unsigned resultNumber =
      kernel.result->getOperandNumber() - op.getNumDpsInputs();
  SmallVector<Value> columns;
  Carried carried;
  for (int64_t v = 0; v < kernel.vectors; ++v) {
    columns.push_back(b.createOrFold<arith::AddIOp>(
        loc, n0, constantIndex(b, loc, v * kernel.lanes)));
    carried.push_back(kernel.fill
                          ? splatOf(b, kernel.loc, kernel.fill, kernel.lanes)
                          : readVector(b, kernel, outputs[resultNumber],
                                       Value(), columns.back()));
  }
  for (auto [i, output] : llvm::enumerate(outputs))
    if (i != resultNumber)
      carried.push_back(output);
  carried = kernel.mayGroup()
                ? visitGroups(b, kernel, columns, carried)
                : visitRows(b, kernel, columns, constantIndex(b, loc, 0),
                            kernel.k, carried);
  SmallVector<Value> results(outputs);
  for (auto [v, column] : llvm::enumerate(columns))
    results[resultNumber] = vector::TransferWriteOp::create(
                                b, loc, carried[v], results[resultNumber],
                                ValueRange{column}, ArrayRef<bool>{true})
                                .getResult();
  unsigned tile = columns.size();
  for (auto [i, result] : llvm::enumerate(results))
    if (i != resultNumber)
      result = carried[tile++];
  return results;
}

LogicalResult cpu::lowerRowReduction(RewriterBase &rewriter,
                                     linalg::GenericOp op, RegisterFile file) {
  FailureOr<RowKernel> kernel = match(rewriter, op, file);
  if (failed(kernel))
    return failure();
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  SmallVector<Value> inits(op.getDpsInits());
  // A constant start needs no memory: it begins in registers.
  if (kernel->fill)
    for (Value &init : inits)
      if (init == kernel->result->get())
        init = init.getDefiningOp<linalg::FillOp>().getOutputs()[0];
  auto loop = scf::ForOp::create(
      rewriter, loc, constantIndex(rewriter, loc, 0),
      constantIndex(rewriter, loc, kernel->n),
      constantIndex(rewriter, loc, kernel->lanes * kernel->vectors), inits,
      [&](OpBuilder &b, Location, Value n0, ValueRange outputs) {
        scf::YieldOp::create(b, loc, emitBlock(b, *kernel, n0, outputs));
      });
  rewriter.replaceOp(op, loop.getResults());
  return success();
}

/// The elementwise op on all of the tile that `op`, a reduction over it, reads;
/// else null.
static linalg::GenericOp findProducer(linalg::GenericOp op) {
  if (op.getNumLoops() != 2 || op.getNumDpsInputs() != 1 ||
      op.getNumDpsInits() != 1 ||
      op.getIteratorTypesArray()[0] != utils::IteratorType::reduction ||
      !op.getIndexingMapsArray()[0].isIdentity())
    return {};
  auto producer = op.getInputs()[0].getDefiningOp<linalg::GenericOp>();
  if (!producer || producer.getNumLoops() != 2 ||
      producer.getNumParallelLoops() != 2 || producer.getNumDpsInits() != 1 ||
      !producer.getIndexingMapsArray().back().isIdentity() ||
      !isElementwiseBody(producer, /*laneLoop=*/1) ||
      !isElementwiseBody(op, /*laneLoop=*/1) ||
      producer->getBlock() != op->getBlock())
    return {};
  // The fused op stands where the reduction does: after it is early enough for
  // the producer's other users.
  for (Operation *user : producer->getUsers()) {
    Operation *ancestor = op->getBlock()->findAncestorOpInBlock(*user);
    if (user != op && (!ancestor || ancestor->isBeforeInBlock(op)))
      return {};
  }
  return producer;
}

/// z = f(x), r = reduce_k g(z, r)  ->  one op with both results. Upstream's
/// fusion declines a producer that overwrites what it reads.
LogicalResult cpu::fuseIntoRowReduction(RewriterBase &rewriter,
                                        linalg::GenericOp op) {
  linalg::GenericOp producer = findProducer(op);
  if (!producer)
    return rewriter.notifyMatchFailure(op, "reduces no elementwise result");
  SmallVector<Value> inits = {producer.getDpsInits()[0], op.getDpsInits()[0]};
  SmallVector<AffineMap> maps = producer.getIndexingMapsArray();
  maps.push_back(op.getIndexingMapsArray().back());
  rewriter.setInsertionPoint(op);
  auto fused = linalg::GenericOp::create(
      rewriter, op.getLoc(), TypeRange(inits), producer.getInputs(), inits,
      maps, op.getIteratorTypesArray(),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        IRMapping mapping;
        auto inlined = [&](linalg::GenericOp source, ValueRange values) {
          mapping.map(source.getBody()->getArguments(), values);
          for (Operation &inner : source.getBody()->without_terminator())
            b.clone(inner, mapping);
          return mapping.lookupOrDefault(
              source.getBody()->getTerminator()->getOperand(0));
        };
        Value z = inlined(producer, args.drop_back());
        Value r = inlined(op, {z, args.back()});
        linalg::YieldOp::create(b, loc, {z, r});
      });
  rewriter.replaceOp(op, fused.getResult(1));
  rewriter.replaceOp(producer, fused.getResult(0));
  return success();
}
