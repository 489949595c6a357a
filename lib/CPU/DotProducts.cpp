//===- DotProducts.cpp - Products along the lanes -------------------------===//
//
//   for m0 in 0 .. M by mr                    rows of C
//     for n0 in 0 .. N by nr                  columns of C
//       acc[r][c] = 0
//       for k0 in 0 .. K by lanes
//         acc[r][c] += A[m0 + r, k0 ..] * B[n0 + c, k0 ..]
//       C[m0 + r, n0 + c] += sum of the lanes of acc[r][c]
//
// Lanes that run along the rows of C would be empty for the most part where
// these are few; here all are full. The lanes of as many vectors as there are
// lanes are added up together: two at a time, half of each, so that L vectors
// take L - 1 additions in all to become one vector of L sums.
//
//===----------------------------------------------------------------------===//

#include "DotProducts.h"
#include "TileVectors.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::cpu;

namespace {
struct DotKernel {
  explicit DotKernel(linalg::GenericOp op) : loc(op.getLoc()) {}

  Location loc;
  Value a, b;
  int64_t m = 0, n = 0, k = 0;
  int64_t lanes = 1;
  int64_t rows = 1, columns = 1; ///< mr, nr
  TypedAttr fill;                ///< C's initial value where it is a constant
};
} // namespace

/// The largest divisor of `value` that is a power of two up to `limit`.
static int64_t powerDividing(int64_t value, int64_t limit) {
  return std::gcd(value, int64_t(llvm::bit_floor(uint64_t(limit))));
}

/// Half of the registers hold sums. All rows are one block where that leaves
/// room for two columns, so that B is read once.
static void chooseBlock(DotKernel &kernel, RegisterFile file) {
  int64_t sums = std::max<int64_t>(file.registers / 2, 4);
  kernel.rows = kernel.m;
  while (kernel.rows > 1 && 2 * kernel.rows > sums)
    kernel.rows = (kernel.rows + 1) / 2;
  while (kernel.m % kernel.rows != 0)
    --kernel.rows;
  kernel.columns = powerDividing(kernel.n, sums / kernel.rows);
}

static FailureOr<DotKernel> match(RewriterBase &rewriter, linalg::GenericOp op,
                                  RegisterFile file) {
  auto fail = [&](const char *reason) {
    return rewriter.notifyMatchFailure(op, reason);
  };
  if (!isProductOfTiles(op))
    return fail("not a product of two static f32 tiles");
  AffineExpr m, n, k;
  bindDims(rewriter.getContext(), m, n, k);
  auto isMap = [&](unsigned i, AffineExpr x, AffineExpr y) {
    return op.getIndexingMapsArray()[i] ==
           AffineMap::get(3, 0, {x, y}, rewriter.getContext());
  };
  if (!isMap(0, m, k) || !isMap(1, n, k) || !isMap(2, m, n))
    return fail("operands are not laid out as A[m, k], B[n, k], C[m, n]");
  if (!mayReassociate(op))
    return fail("the order of the sum is given");
  DotKernel kernel(op);
  kernel.a = op.getInputs()[0];
  kernel.b = op.getInputs()[1];
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  kernel.m = sizes[0];
  kernel.n = sizes[1];
  kernel.k = sizes[2];
  kernel.lanes = powerDividing(kernel.k, file.lanes);
  chooseBlock(kernel, file);
  if (auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>())
    matchPattern(fill.getInputs()[0], m_Constant(&kernel.fill));
  return kernel;
}

static Value readVector(OpBuilder &b, const DotKernel &kernel, Value source,
                        Value row, Value column, int64_t size) {
  return cpu::readVector(b, kernel.loc, source, {row, column}, size);
}

/// The partial sums of a block, along the lanes.
static SmallVector<Value> emitSums(OpBuilder &b, const DotKernel &kernel,
                                   Value m0, Value n0) {
  Location loc = kernel.loc;
  TypedAttr zero = b.getF32FloatAttr(0);
  SmallVector<Value> start(kernel.rows * kernel.columns,
                           splatOf(b, loc, zero, kernel.lanes));
  auto loop = scf::ForOp::create(
      b, loc, constantIndex(b, loc, 0), constantIndex(b, loc, kernel.k),
      constantIndex(b, loc, kernel.lanes), start,
      [&](OpBuilder &nested, Location, Value k, ValueRange sums) {
        auto read = [&](Value source, Value first, int64_t i) {
          return readVector(nested, kernel, source,
                            offsetBy(nested, loc, first, i), k, kernel.lanes);
        };
        SmallVector<Value> right, next;
        for (int64_t c = 0; c < kernel.columns; ++c)
          right.push_back(read(kernel.b, n0, c));
        for (int64_t r = 0; r < kernel.rows; ++r) {
          Value left = read(kernel.a, m0, r);
          for (Value column : right)
            next.push_back(vector::FMAOp::create(nested, loc, left, column,
                                                 sums[next.size()]));
        }
        scf::YieldOp::create(nested, loc, next);
      });
  return SmallVector<Value>(loop.getResults());
}

/// Two vectors of `segments` sums each, every one spread over lanes / segments
/// lanes, as one of twice as many over half as many lanes.
static Value addHalves(OpBuilder &b, Location loc, Value x, Value y,
                       int64_t lanes, int64_t segments) {
  int64_t length = lanes / segments, half = length / 2;
  SmallVector<int64_t> low, high;
  for (int64_t source : {int64_t(0), lanes})
    for (int64_t segment = 0; segment < segments; ++segment)
      for (int64_t lane = 0; lane < half; ++lane) {
        low.push_back(source + segment * length + lane);
        high.push_back(source + segment * length + half + lane);
      }
  return arith::AddFOp::create(b, loc,
                               vector::ShuffleOp::create(b, loc, x, y, low),
                               vector::ShuffleOp::create(b, loc, x, y, high));
}

/// The sums of the lanes of up to as many vectors as there are lanes, in order
/// in the first lanes of one.
static Value sumOfLanes(OpBuilder &b, const DotKernel &kernel,
                        ArrayRef<Value> vectors) {
  SmallVector<Value> level(vectors);
  level.resize(kernel.lanes,
               splatOf(b, kernel.loc, b.getF32FloatAttr(0), kernel.lanes));
  for (int64_t segments = 1; segments < kernel.lanes; segments *= 2) {
    SmallVector<Value> next;
    for (size_t i = 0; i < level.size(); i += 2) {
      // What pads the list is zero, and stays so.
      bool isPadding = i * segments >= vectors.size();
      next.push_back(isPadding
                         ? level[i]
                         : addHalves(b, kernel.loc, level[i], level[i + 1],
                                     kernel.lanes, segments));
    }
    level = std::move(next);
  }
  return level.front();
}

/// Computes the block of C at (m0, n0).
static Value emitBlock(OpBuilder &b, const DotKernel &kernel, Value c, Value m0,
                       Value n0) {
  Location loc = kernel.loc;
  SmallVector<Value> sums = emitSums(b, kernel, m0, n0);
  // A vector has the sums of as many rows as there is room for, at least of one
  // row, or of a part of it.
  int64_t columns = std::min(kernel.columns, kernel.lanes);
  int64_t perVector = kernel.lanes / columns * columns;
  for (int64_t first = 0; first < int64_t(sums.size()); first += perVector) {
    ArrayRef<Value> some = ArrayRef(sums).slice(first).take_front(perVector);
    Value dots = sumOfLanes(b, kernel, some);
    for (int64_t at = 0; at < int64_t(some.size()); at += columns) {
      Value row = offsetBy(b, loc, m0, (first + at) / kernel.columns);
      Value column = offsetBy(b, loc, n0, (first + at) % kernel.columns);
      Value result = dots;
      if (columns < kernel.lanes)
        result = vector::ExtractStridedSliceOp::create(
            b, loc, dots, ArrayRef<int64_t>{at}, ArrayRef<int64_t>{columns},
            ArrayRef<int64_t>{1});
      Value start = kernel.fill
                        ? splatOf(b, loc, kernel.fill, columns)
                        : readVector(b, kernel, c, row, column, columns);
      if (!kernel.fill || !matchPattern(start, m_AnyZeroFloat()))
        result = arith::AddFOp::create(b, loc, start, result);
      c = vector::TransferWriteOp::create(
              b, loc, result, c, ValueRange{row, column}, ArrayRef<bool>{true})
              .getResult();
    }
  }
  return c;
}

LogicalResult cpu::lowerDotProducts(RewriterBase &rewriter,
                                    linalg::GenericOp op, RegisterFile file) {
  FailureOr<DotKernel> kernel = match(rewriter, op, file);
  if (failed(kernel))
    return failure();
  Location loc = op.getLoc();
  remark::analysis(loc, remark::RemarkOpts::name("dot-kernel")
                            .category("sparse-attn-tile-registers"))
      << remark::metric("rows", kernel->rows)
      << remark::metric("columns", kernel->columns)
      << remark::metric("lanes", kernel->lanes)
      << remark::metric("registers", file.registers);
  rewriter.setInsertionPoint(op);
  Value c = op.getDpsInits()[0];
  // A constant start needs no memory.
  if (kernel->fill)
    c = c.getDefiningOp<linalg::FillOp>().getOutputs()[0];
  auto outer = scf::ForOp::create(
      rewriter, loc, constantIndex(rewriter, loc, 0),
      constantIndex(rewriter, loc, kernel->n),
      constantIndex(rewriter, loc, kernel->columns), c,
      [&](OpBuilder &bn, Location, Value n0, ValueRange cn) {
        auto inner = scf::ForOp::create(
            bn, loc, constantIndex(bn, loc, 0),
            constantIndex(bn, loc, kernel->m),
            constantIndex(bn, loc, kernel->rows), cn,
            [&](OpBuilder &bm, Location, Value m0, ValueRange cm) {
              scf::YieldOp::create(bm, loc,
                                   emitBlock(bm, *kernel, cm.front(), m0, n0));
            });
        scf::YieldOp::create(bn, loc, inner.getResults());
      });
  rewriter.replaceOp(op, outer.getResults());
  return success();
}
