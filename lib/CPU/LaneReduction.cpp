//===- LaneReduction.cpp - Reductions along the rows of a tile ------------===//
//
//   for m in 0 .. M
//     v = start, of all lanes
//     for n0 in 0 .. N by lanes
//       v = combine(f(X[m, n0 ..]), v)
//     R[m] = combine(R[m], the lanes of v)
//
//===----------------------------------------------------------------------===//

#include "LaneReduction.h"
#include "TileVectors.h"
#include "VectorBody.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include <numeric>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::cpu;

namespace {
struct LaneKernel {
  linalg::GenericOp op;
  int64_t m = 0, n = 0, lanes = 1;
  Operation *combiner = nullptr;
  vector::CombiningKind kind = vector::CombiningKind::ADD;
};
} // namespace

static FailureOr<LaneKernel> match(RewriterBase &rewriter, linalg::GenericOp op,
                                   RegisterFile file) {
  auto fail = [&](const char *reason) {
    return rewriter.notifyMatchFailure(op, reason);
  };
  if (!op.hasPureTensorSemantics() || op.hasDynamicShape() ||
      op.getNumLoops() != 2 || op.getNumDpsInits() != 1 ||
      op.getIteratorTypesArray()[0] != utils::IteratorType::parallel ||
      op.getIteratorTypesArray()[1] != utils::IteratorType::reduction)
    return fail("not a reduction along the rows of a static tile");
  if (!isElementwiseBody(op, /*laneLoop=*/1))
    return fail("body is not elementwise");
  AffineMap perRow = AffineMap::get(2, 0, rewriter.getAffineDimExpr(0));
  for (AffineMap map : op.getIndexingMapsArray())
    if (!map.isIdentity() && map != perRow)
      return fail("operands are not laid out as X[m, n] or y[m]");
  LaneKernel kernel{op};
  SmallVector<Operation *> combiners;
  if (op.getIndexingMapsArray().back() != perRow ||
      !matchReduction(op.getRegionOutputArgs(), 0, combiners) ||
      combiners.size() != 1)
    return fail("no single op combines the elements of a row");
  kernel.combiner = combiners.front();
  if (isa<arith::MaxNumFOp>(kernel.combiner))
    kernel.kind = vector::CombiningKind::MAXNUMF;
  else if (auto add = dyn_cast<arith::AddFOp>(kernel.combiner);
           !add || !arith::bitEnumContainsAny(add.getFastmath(),
                                              arith::FastMathFlags::reassoc))
    return fail("neither a maximum nor a sum in any order");
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  kernel.m = sizes[0];
  kernel.n = sizes[1];
  kernel.lanes = std::gcd(kernel.n, file.lanes);
  return kernel;
}

/// The operand at (row, column): a vector of a tile, or a row's value in all
/// lanes.
static Value readOperand(OpBuilder &b, const LaneKernel &kernel, Value source,
                         Value row, Value column) {
  Location loc = linalg::GenericOp(kernel.op).getLoc();
  auto type = cast<RankedTensorType>(source.getType());
  if (type.getRank() == 1)
    return vector::BroadcastOp::create(
        b, loc, VectorType::get({kernel.lanes}, type.getElementType()),
        tensor::ExtractOp::create(b, loc, source, row));
  return readVector(b, loc, source, {row, column}, kernel.lanes);
}

/// What changes no result of the combiner: of a maximum any NaN would not do,
/// since not both operands may be one.
static Value neutral(OpBuilder &b, const LaneKernel &kernel, Location loc) {
  bool isMaximum = kernel.kind == vector::CombiningKind::MAXNUMF;
  FloatType f32 = b.getF32Type();
  APFloat value = isMaximum ? APFloat::getInf(f32.getFloatSemantics(),
                                              /*Negative=*/true)
                            : APFloat::getZero(f32.getFloatSemantics());
  return splatOf(b, loc, FloatAttr::get(f32, value), kernel.lanes);
}

/// A row's partial results along the lanes.
static Value visitRow(OpBuilder &b, const LaneKernel &kernel, Value row) {
  linalg::GenericOp op = kernel.op;
  Location loc = op.getLoc();
  auto loop = scf::ForOp::create(
      b, loc, constantIndex(b, loc, 0), constantIndex(b, loc, kernel.n),
      constantIndex(b, loc, kernel.lanes), neutral(b, kernel, loc),
      [&](OpBuilder &nested, Location, Value column, ValueRange carried) {
        SmallVector<Value> args;
        for (Value input : op.getInputs())
          args.push_back(readOperand(nested, kernel, input, row, column));
        args.push_back(carried.front());
        Value next =
            cloneOnVectors(nested, op, args, {1, {row, column}, kernel.lanes})
                .front();
        if (isa<arith::MaxNumFOp>(kernel.combiner))
          next = compareInstead(nested, next.getDefiningOp(), carried.front());
        scf::YieldOp::create(nested, loc, next);
      });
  return loop.getResult(0);
}

LogicalResult cpu::lowerLaneReduction(RewriterBase &rewriter,
                                      linalg::GenericOp op, RegisterFile file) {
  FailureOr<LaneKernel> kernel = match(rewriter, op, file);
  if (failed(kernel))
    return failure();
  Location loc = op.getLoc();
  rewriter.setInsertionPoint(op);
  auto loop = scf::ForOp::create(
      rewriter, loc, constantIndex(rewriter, loc, 0),
      constantIndex(rewriter, loc, kernel->m), constantIndex(rewriter, loc, 1),
      op.getDpsInits()[0],
      [&](OpBuilder &b, Location, Value row, ValueRange results) {
        Value lanes = visitRow(b, *kernel, row);
        Value start = tensor::ExtractOp::create(b, loc, results.front(), row);
        Value reduced = vector::ReductionOp::create(
            b, loc, kernel->kind, lanes, start, arith::FastMathFlags::reassoc);
        Value next =
            tensor::InsertOp::create(b, loc, reduced, results.front(), row);
        scf::YieldOp::create(b, loc, next);
      });
  rewriter.replaceOp(op, loop.getResults());
  return success();
}
