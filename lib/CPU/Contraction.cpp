//===- Contraction.cpp - Register-tiled contractions ----------------------===//
//
//   for m0 in 0 .. M by mr                   rows of C
//     for n0 in 0 .. N by nv * lanes         columns of C
//       acc[r][v] = C[m0 + r, n0 + v * lanes ..]
//       for k in 0 .. K
//         acc[r][v] += broadcast(A[m0 + r, k]) * B[k, n0 + v * lanes ..]
//       C[...] = acc
//
// Where the sum may be reassociated, a long one over k is taken in groups, so
// that rounding errors add up along a group only.
//
// An elementwise op that alone uses the result, such as C' = alpha C + A B,
// runs on the block before it is stored.
//
// With 32 registers and three vectors a row (48 queries), mr = 8: 24
// accumulators, 3 vectors of B and a broadcast, and 24 FMAs for 11 loads.
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "SparseAttn/Target/Target.h"
#include "TileVectors.h"
#include "VectorBody.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include <numeric>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::cpu;

/// A chain of so many FMAs is as accurate as what matrix products of common
/// libraries do; a longer one is cut into groups of `kGroup`.
static constexpr int64_t kLongestChain = 128, kGroup = 64;

namespace {
/// What a contraction computes with, and the block of C that fits registers.
struct MicroKernel {
  explicit MicroKernel(linalg::GenericOp op)
      : loc(op.getLoc()), product(op.getResult(0)) {}

  Location loc;
  Value product;
  Value a, b;
  bool aIsKM = false; ///< A is stored [k, m] rather than [m, k]
  int64_t m = 0, n = 0, k = 0;
  int64_t lanes = 1;          ///< of one vector
  int64_t rows = 1;           ///< mr
  int64_t vectors = 1;        ///< nv, vectors a row
  bool isFree = false;        ///< whether the sum may be reassociated
  int64_t parts = 1;          ///< of the sum over k, see splitSum
  TypedAttr fill;             ///< C's initial value where it is a constant
  linalg::GenericOp epilogue; ///< the op that uses the product, or null

  bool isProduct(Value value) const { return epilogue && value == product; }
  VectorType vectorType(OpBuilder &b) const {
    return VectorType::get({lanes}, b.getF32Type());
  }
};
} // namespace

/// True when the body is yield(c + a * b), in any order of operands.
static bool isMultiplyAdd(linalg::GenericOp op) {
  Block &body = *op.getBody();
  if (!llvm::hasNItems(body.begin(), body.end(), 3))
    return false;
  auto add = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!add)
    return false;
  Value c = body.getArgument(2);
  Value product = add.getLhs() == c ? add.getRhs() : add.getLhs();
  auto mul = product.getDefiningOp<arith::MulFOp>();
  if (!mul || (add.getLhs() != c && add.getRhs() != c))
    return false;
  Value a = body.getArgument(0), b = body.getArgument(1);
  return (mul.getLhs() == a && mul.getRhs() == b) ||
         (mul.getLhs() == b && mul.getRhs() == a);
}

/// Largest divisor of `value` that is at most `limit`.
static int64_t largestDivisor(int64_t value, int64_t limit) {
  for (int64_t d = std::min(value, limit); d > 1; --d)
    if (value % d == 0)
      return d;
  return 1;
}

bool cpu::mayReassociate(linalg::GenericOp op) {
  auto add = op.getBody()
                 ->getTerminator()
                 ->getOperand(0)
                 .getDefiningOp<arith::AddFOp>();
  return arith::bitEnumContainsAny(add.getFastmath(),
                                   arith::FastMathFlags::reassoc);
}

/// A row of one vector leaves registers over. Where the sum may be reassociated
/// they hold partial sums, over k in [0, K / parts), [K / parts, 2 K / parts)
/// and so on: fewer rounding errors in a row, and shorter chains of FMAs.
static void splitSum(MicroKernel &kernel, RegisterFile file) {
  if (kernel.vectors > 1 || !kernel.isFree)
    return;
  for (int64_t parts : {4, 2}) {
    int64_t rows =
        largestDivisor(kernel.m, (file.registers - parts - 1) / parts);
    if (kernel.k % parts || rows * parts < kernel.rows)
      continue;
    kernel.parts = parts;
    kernel.rows = rows;
    return;
  }
}

/// The elementwise op on C's shape that is the only user of `product`, if its
/// operands lie like C, or like a row or a column of it; else null.
static linalg::GenericOp findEpilogue(linalg::GenericOp product) {
  if (!product->hasOneUse())
    return {};
  auto user = dyn_cast<linalg::GenericOp>(*product->user_begin());
  if (!user || user.getNumLoops() != 2 || user.getNumParallelLoops() != 2 ||
      user.getNumDpsInits() != 1 || user->getBlock() != product->getBlock() ||
      !user.hasPureTensorSemantics() ||
      !isElementwiseBody(user, /*laneLoop=*/1) ||
      user.getDpsInits()[0].getType() != product.getResultTypes()[0] ||
      user.getDpsInits()[0] == product.getResult(0))
    return {};
  for (OpOperand &operand : user->getOpOperands()) {
    AffineMap map = user.getMatchingIndexingMap(&operand);
    bool isInit = user.isDpsInit(&operand);
    bool isElementwise =
        map.isIdentity() ||
        (map.isProjectedPermutation() && map.getNumResults() == 1 && !isInit);
    if (!getElementTypeOrSelf(operand.get()).isF32() || !isElementwise)
      return {};
  }
  return user;
}

bool cpu::isProductOfTiles(linalg::GenericOp op) {
  return op.getNumDpsInputs() == 2 && op.getNumDpsInits() == 1 &&
         op.getNumLoops() == 3 && op.getNumReductionLoops() == 1 &&
         op.getIteratorTypesArray()[2] == utils::IteratorType::reduction &&
         op.getNumResults() == 1 && !op.hasDynamicShape() &&
         llvm::all_of(op->getOperands(),
                      [](Value operand) {
                        return getElementTypeOrSelf(operand).isF32();
                      }) &&
         isMultiplyAdd(op);
}

static FailureOr<MicroKernel> match(RewriterBase &rewriter,
                                    linalg::GenericOp op, RegisterFile file) {
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
  bool aIsKM = isMap(0, k, m);
  if (!(aIsKM || isMap(0, m, k)) || !isMap(1, k, n) || !isMap(2, m, n))
    return fail("operands are not laid out as A[m, k], B[k, n], C[m, n]");

  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  MicroKernel kernel(op);
  kernel.a = op.getInputs()[0];
  kernel.b = op.getInputs()[1];
  kernel.aIsKM = aIsKM;
  kernel.m = sizes[0];
  kernel.n = sizes[1];
  kernel.k = sizes[2];
  kernel.lanes = std::gcd(kernel.n, file.lanes);
  kernel.vectors = largestDivisor(kernel.n / kernel.lanes, 4);
  // With few rows it is B that takes time: whole rows of it are read at once.
  if (kernel.m <= target::kFewRows && file.registers >= 3 * 8)
    kernel.vectors = largestDivisor(kernel.n / kernel.lanes, 8);
  // acc + B + one broadcast must fit.
  int64_t rows = (file.registers - kernel.vectors - 1) / kernel.vectors;
  kernel.rows = std::clamp<int64_t>(std::min<int64_t>(rows, 12), 1, kernel.m);
  if (int64_t even = largestDivisor(kernel.m, kernel.rows);
      2 * even > kernel.rows)
    kernel.rows = even;
  kernel.isFree = mayReassociate(op);
  splitSum(kernel, file);
  if (auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>())
    matchPattern(fill.getInputs()[0], m_Constant(&kernel.fill));
  // Only a start that needs no memory leaves C's place to the epilogue's.
  if (kernel.fill)
    kernel.epilogue = findEpilogue(op);
  return kernel;
}

static Value readVector(OpBuilder &b, const MicroKernel &kernel, Value source,
                        Value row, Value column) {
  SmallVector<Value> place = {row, column};
  if (cast<RankedTensorType>(source.getType()).getRank() == 1)
    place = {column};
  return cpu::readVector(b, kernel.loc, source, place, kernel.lanes);
}

/// The epilogue of one vector: `product` at (row, column) of `c`.
static Value applyEpilogue(OpBuilder &b, const MicroKernel &kernel,
                           Value product, Value c, Value row, Value column) {
  linalg::GenericOp epilogue = kernel.epilogue;
  if (!epilogue)
    return product;
  SmallVector<Value> args;
  for (OpOperand &operand : epilogue->getOpOperands()) {
    AffineMap map = epilogue.getMatchingIndexingMap(&operand);
    if (kernel.isProduct(operand.get()))
      args.push_back(product);
    else if (map.getNumResults() == 1 && map.isFunctionOfDim(0))
      args.push_back(vector::BroadcastOp::create(
          b, kernel.loc, kernel.vectorType(b),
          tensor::ExtractOp::create(b, kernel.loc, operand.get(), row)));
    else
      args.push_back(readVector(
          b, kernel, epilogue.isDpsInit(&operand) ? c : operand.get(), row,
          column));
  }
  return cloneOnVectors(b, epilogue, args, {1, {row, column}, kernel.lanes})
      .front();
}

/// One step of k: acc[r][v] += A[m0 + r, k] * B[k, n0 + v].
static SmallVector<Value> multiplyAdd(OpBuilder &b, const MicroKernel &kernel,
                                      Value m0, int64_t rows,
                                      ArrayRef<Value> columns, Value k,
                                      ValueRange acc) {
  SmallVector<Value> right, next;
  for (Value column : columns)
    right.push_back(readVector(b, kernel, kernel.b, k, column));
  for (int64_t r = 0; r < rows; ++r) {
    Value row = offsetBy(b, kernel.loc, m0, r);
    SmallVector<Value> place = {row, k};
    if (kernel.aIsKM)
      std::swap(place[0], place[1]);
    Value scalar = tensor::ExtractOp::create(b, kernel.loc, kernel.a, place);
    Value left = vector::BroadcastOp::create(b, kernel.loc,
                                             kernel.vectorType(b), scalar);
    for (auto [v, vector] : llvm::enumerate(right))
      next.push_back(vector::FMAOp::create(b, kernel.loc, left, vector,
                                           acc[r * right.size() + v]));
  }
  return next;
}

/// What the accumulators of part 0 start with; those of other parts start with
/// zero.
static SmallVector<Value> emitStart(OpBuilder &b, const MicroKernel &kernel,
                                    Value c, Value m0, int64_t rows,
                                    ArrayRef<Value> columns) {
  SmallVector<Value> acc;
  for (int64_t r = 0; r < rows; ++r)
    for (Value column : columns)
      acc.push_back(kernel.fill
                        ? splatOf(b, kernel.loc, kernel.fill, kernel.lanes)
                        : readVector(b, kernel, c,
                                     offsetBy(b, kernel.loc, m0, r), column));
  acc.resize(acc.size() * kernel.parts,
             splatOf(b, kernel.loc, b.getF32FloatAttr(0), kernel.lanes));
  return acc;
}

/// (p0 + p1) + (p2 + p3), each a block of accumulators.
static SmallVector<Value> addParts(OpBuilder &b, const MicroKernel &kernel,
                                   ValueRange acc) {
  SmallVector<Value> sums(acc);
  for (int64_t parts = kernel.parts; parts > 1; parts /= 2) {
    size_t size = sums.size() / parts;
    SmallVector<Value> next;
    for (int64_t p = 0; p < parts; p += 2)
      for (size_t i = p * size; i < (p + 1) * size; ++i)
        next.push_back(
            arith::AddFOp::create(b, kernel.loc, sums[i], sums[i + size]));
    sums = next;
  }
  return sums;
}

namespace {
/// The sums over k of the block of `rows` rows at (m0, columns).
struct BlockSum {
  const MicroKernel &kernel;
  Value c, m0;
  int64_t rows;
  ArrayRef<Value> columns;

  SmallVector<Value> emit(OpBuilder &b) const;

private:
  ResultRange addChain(OpBuilder &b, Value first, int64_t length,
                       ValueRange start) const;
  SmallVector<Value> addGroup(OpBuilder &b, Value first, int64_t length,
                              ValueRange totals) const;
  int64_t steps() const { return kernel.k / kernel.parts; }
};
} // namespace

/// One chain of FMAs, over k in [first, first + length) of each part.
ResultRange BlockSum::addChain(OpBuilder &b, Value first, int64_t length,
                               ValueRange start) const {
  Location loc = kernel.loc;
  size_t size = rows * columns.size();
  auto loop = scf::ForOp::create(
      b, loc, constantIndex(b, loc, 0), constantIndex(b, loc, length),
      constantIndex(b, loc, 1), start,
      [&](OpBuilder &nested, Location, Value t, ValueRange carried) {
        Value k = nested.createOrFold<arith::AddIOp>(loc, t, first);
        SmallVector<Value> next;
        for (int64_t p = 0; p < kernel.parts; ++p)
          next.append(multiplyAdd(nested, kernel, m0, rows, columns,
                                  offsetBy(nested, loc, k, p * steps()),
                                  carried.slice(p * size, size)));
        scf::YieldOp::create(nested, loc, next);
      });
  return loop.getResults();
}

/// totals + a chain of its own. Few registers are left for the totals, which
/// wait in memory meanwhile.
SmallVector<Value> BlockSum::addGroup(OpBuilder &b, Value first, int64_t length,
                                      ValueRange totals) const {
  SmallVector<Value> zeros(
      totals.size(),
      splatOf(b, kernel.loc, b.getF32FloatAttr(0), kernel.lanes));
  ResultRange group = addChain(b, first, length, zeros);
  SmallVector<Value> sums;
  for (auto [total, part] : llvm::zip(totals, group))
    sums.push_back(arith::AddFOp::create(b, kernel.loc, total, part));
  return sums;
}

SmallVector<Value> BlockSum::emit(OpBuilder &b) const {
  Location loc = kernel.loc;
  Value zero = constantIndex(b, loc, 0);
  SmallVector<Value> start = emitStart(b, kernel, c, m0, rows, columns);
  if (!kernel.isFree || steps() <= kLongestChain)
    return addParts(b, kernel, addChain(b, zero, steps(), start));
  int64_t whole = steps() / kGroup * kGroup;
  auto groups = scf::ForOp::create(
      b, loc, constantIndex(b, loc, kGroup), constantIndex(b, loc, whole),
      constantIndex(b, loc, kGroup), addChain(b, zero, kGroup, start),
      [&](OpBuilder &nested, Location, Value first, ValueRange totals) {
        scf::YieldOp::create(nested, loc,
                             addGroup(nested, first, kGroup, totals));
      });
  SmallVector<Value> sums(groups.getResults());
  if (whole < steps())
    sums = addGroup(b, constantIndex(b, loc, whole), steps() - whole, sums);
  return addParts(b, kernel, sums);
}

/// Computes the block of `rows` rows at (m0, n0) of `c`.
static Value emitBlock(OpBuilder &b, const MicroKernel &kernel, Value c,
                       Value m0, Value n0, int64_t rows) {
  Location loc = kernel.loc;
  SmallVector<Value> columns;
  for (int64_t v = 0; v < kernel.vectors; ++v)
    columns.push_back(offsetBy(b, loc, n0, v * kernel.lanes));
  SmallVector<Value> sums = BlockSum{kernel, c, m0, rows, columns}.emit(b);
  for (int64_t r = 0; r < rows; ++r)
    for (auto [v, column] : llvm::enumerate(columns)) {
      Value row = offsetBy(b, loc, m0, r);
      Value result = applyEpilogue(b, kernel, sums[r * columns.size() + v], c,
                                   row, column);
      c = vector::TransferWriteOp::create(
              b, loc, result, c, ValueRange{row, column}, ArrayRef<bool>{true})
              .getResult();
    }
  return c;
}

/// All blocks of `rows` rows in [begin, end) of `c`.
static Value emitRows(OpBuilder &b, const MicroKernel &kernel, Value c,
                      int64_t begin, int64_t end, int64_t rows) {
  if (begin == end)
    return c;
  Location loc = kernel.loc;
  auto outer = scf::ForOp::create(
      b, loc, constantIndex(b, loc, begin), constantIndex(b, loc, end),
      constantIndex(b, loc, rows), c,
      [&](OpBuilder &bm, Location, Value m0, ValueRange cm) {
        auto inner = scf::ForOp::create(
            bm, loc, constantIndex(bm, loc, 0),
            constantIndex(bm, loc, kernel.n),
            constantIndex(bm, loc, kernel.lanes * kernel.vectors), cm,
            [&](OpBuilder &bn, Location, Value n0, ValueRange cn) {
              scf::YieldOp::create(
                  bn, loc, emitBlock(bn, kernel, cn.front(), m0, n0, rows));
            });
        scf::YieldOp::create(bm, loc, inner.getResults());
      });
  return outer.getResult(0);
}

/// How much of the registers a product uses, for who asks for remarks.
static void report(const MicroKernel &kernel, RegisterFile file) {
  auto report =
      remark::analysis(kernel.loc, remark::RemarkOpts::name("micro-kernel")
                                       .category("sparse-attn-tile-registers"));
  report << remark::metric("rows", kernel.rows)
         << remark::metric("vectors", kernel.vectors)
         << remark::metric("lanes", kernel.lanes)
         << remark::metric("accumulators",
                           kernel.rows * kernel.vectors * kernel.parts)
         << remark::metric("registers", file.registers);
}

LogicalResult cpu::lowerContraction(RewriterBase &rewriter,
                                    linalg::GenericOp op, RegisterFile file) {
  FailureOr<MicroKernel> kernel = match(rewriter, op, file);
  if (failed(kernel))
    return failure();
  report(*kernel, file);
  linalg::GenericOp epilogue = kernel->epilogue;
  linalg::GenericOp last = epilogue ? epilogue : op;
  rewriter.setInsertionPoint(last);
  Value c = last.getDpsInits()[0];
  // A constant start needs no memory: the block starts from it in registers.
  if (kernel->fill && !epilogue)
    c = c.getDefiningOp<linalg::FillOp>().getOutputs()[0];
  int64_t whole = kernel->m / kernel->rows * kernel->rows;
  c = emitRows(rewriter, *kernel, c, 0, whole, kernel->rows);
  c = emitRows(rewriter, *kernel, c, whole, kernel->m,
               std::max<int64_t>(kernel->m - whole, 1));
  rewriter.replaceOp(last, c);
  if (epilogue)
    rewriter.eraseOp(op);
  return success();
}
