//===- SingleProduct.cpp - f32 at f32 accuracy on tensor cores ------------===//
//
// A number is a sum of three of bf16's precision, exactly (24 bits are three
// times 8), and a product takes six mma.sync of bf16:
//
//   x = x0 + x1 + x2,  |x1| < 2^-7 |x|,  |x2| < 2^-16 |x|
//   x y = x0 y0 + (x0 y1 + x1 y0) + (x0 y2 + x1 y1 + x2 y0)
//
// What is left out is below 2^-22 of the product, and of either sign. That is
// what three products of TF32 numbers would leave out too, which take the same
// time. But tensor cores cut off what does not fit an f32, and products of 22
// bits hardly ever fit, products of 16 mostly do.
//
// For the same reason
//  - the large terms x0 y0 of each depth of 16 start from zero, and their sums
//    are added by ordinary additions, which round to nearest;
//  - all the small terms, 2^-7 of the large ones, have sums of their own, whose
//    last bits do not matter;
//  - the accumulator takes part in one addition, the last.
//
//===----------------------------------------------------------------------===//

#include "Fragments/NeverUnroll.h"
#include "ProductEmitter.h"
#include "Staging/SharedAddress.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

namespace {
constexpr int64_t kParts = 3;

/// Two neighbours along the depth: for each part of them a register.
using Pair = std::array<Value, kParts>;

/// The sums of 8 columns of a band, while they grow.
struct Sums {
  SmallVector<Value, 4> large; ///< none before the first depth
  SmallVector<Value, 4> small;
};

/// [block of 8 columns][band]
using AllSums = SmallVector<SmallVector<Sums>>;

/// The depth of a panel of shared memory, which has 128 bytes of a row.
constexpr int64_t kPanelDepth = 32;

class SingleProduct : public ProductEmitter {
public:
  SingleProduct(OpBuilder &b, Location loc, const Threads &threads,
                const Product &product)
      : ProductEmitter(b, loc, threads, product),
        zero(arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0))) {}

  Value emit() {
    int64_t steps = llvm::divideCeil(p.depth, 16), blocks = p.columns / 8;
    if (p.left.staged.pointer)
      emitFromMemory(steps, blocks);
    else
      emitFromLanes(steps, blocks);
    return result();
  }

private:
  /// The left tile is read a depth at a time, once for all columns; so there
  /// are sums for all columns.
  void emitFromMemory(int64_t steps, int64_t blocks) {
    AllSums sums(blocks, SmallVector<Sums>(bands));
    int64_t panels = p.depth / kPanelDepth, k = 0;
    if (p.isRare && panels > 1) {
      addPanels(sums, panels);
      k = panels * kPanelDepth / 16;
    }
    for (; k < steps; ++k)
      addDepth(sums, k);
    for (int64_t n = 0; n < blocks; ++n)
      addUp(sums[n], n);
  }

  void addDepth(AllSums &sums, int64_t k) {
    SmallVector<SmallVector<Pair>> left = loadLeft(k);
    for (auto [n, ofBlock] : llvm::enumerate(sums))
      addBlock(ofBlock, left, k, n);
  }

  /// A loop over whole panels, the first `count`, which carries the sums.
  void addPanels(AllSums &sums, int64_t count) {
    SmallVector<Value> zeros(sums.size() * bands * 8, zero);
    auto bound = [&](int64_t value) -> Value {
      return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
    };
    auto loop =
        scf::ForOp::create(b, loc, bound(0), bound(count), bound(1), zeros);
    neverUnroll(loop);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    panel = loop.getInductionVar();
    setSums(sums, loop.getRegionIterArgs());
    for (int64_t k = 0; k < kPanelDepth / 16; ++k)
      addDepth(sums, k);
    scf::YieldOp::create(b, loc, valuesOf(sums));
    panel = {};
    setSums(sums, loop.getResults());
  }

  static void setSums(AllSums &sums, ValueRange values) {
    for (SmallVector<Sums> &ofBlock : sums)
      for (Sums &sum : ofBlock)
        for (SmallVector<Value, 4> *part : {&sum.large, &sum.small}) {
          part->assign(values.begin(), values.begin() + 4);
          values = values.drop_front(4);
        }
  }

  static SmallVector<Value> valuesOf(const AllSums &sums) {
    SmallVector<Value> values;
    for (const SmallVector<Sums> &ofBlock : sums)
      for (const Sums &sum : ofBlock) {
        llvm::append_range(values, sum.large);
        llvm::append_range(values, sum.small);
      }
    return values;
  }

  /// The left tile's parts are there for all depths, so 8 columns at a time
  /// have sums.
  void emitFromLanes(int64_t steps, int64_t blocks) {
    SmallVector<SmallVector<SmallVector<Pair>>> left = splitLeft(steps);
    for (int64_t n = 0; n < blocks; ++n) {
      SmallVector<Sums> sums(bands);
      for (int64_t k = 0; k < steps; ++k)
        addBlock(sums, left[k], k, n);
      addUp(sums, n);
    }
  }

  /// Groups of 8 in the depth of 16 that starts at 16 k: the last may be half.
  int64_t groupsAt(int64_t k) const {
    return std::min<int64_t>(2, p.depth / 8 - 2 * k);
  }

  //===--------------------------------------------------------------------===//
  // Parts
  //===--------------------------------------------------------------------===//

  /// Two f32 numbers as bf16, the first in the lower half.
  Value pack(StringRef intrinsic, Value first, Value second) {
    Value packed = LLVM::CallIntrinsicOp::create(
                       b, loc, VectorType::get({2}, b.getBF16Type()),
                       b.getStringAttr(intrinsic), ValueRange{second, first})
                       .getResults();
    return LLVM::BitcastOp::create(b, loc, b.getI32Type(), packed);
  }

  /// x less the half of `packed` that was made of it: exact, but for an
  /// infinity, of which a NaN is left.
  Value lessLower(Value x, Value packed) {
    return less(x, arith::ShLIOp::create(b, loc, packed, i32(16)));
  }
  Value lessUpper(Value x, Value packed) {
    return less(x, arith::AndIOp::create(b, loc, packed, i32(0xffff0000)));
  }
  Value less(Value x, Value bits) {
    Value part = LLVM::BitcastOp::create(b, loc, b.getF32Type(), bits);
    return arith::SubFOp::create(b, loc, x, part);
  }
  Value i32(uint32_t bits) {
    return arith::ConstantOp::create(
        b, loc, b.getI32IntegerAttr(static_cast<int32_t>(bits)));
  }

  /// The first part is cut off, so that the largest numbers do not become
  /// infinite; the others are rounded, so that they have either sign.
  Pair split(Value first, Value second) {
    Pair parts;
    for (auto [i, part] : llvm::enumerate(parts)) {
      part = pack(i == 0 ? "llvm.nvvm.ff2bf16x2.rz" : "llvm.nvvm.ff2bf16x2.rn",
                  first, second);
      if (i + 1 == kParts)
        break;
      first = lessLower(first, part);
      second = lessUpper(second, part);
    }
    return parts;
  }

  //===--------------------------------------------------------------------===//
  // Operands
  //===--------------------------------------------------------------------===//

  /// The left operands of all bands at all depths, [k][band], from the lanes:
  /// they are there in the order of the operand's registers.
  SmallVector<SmallVector<SmallVector<Pair>>> splitLeft(int64_t steps) {
    SmallVector<Value> lanes = elementsOf(p.left.lanes);
    SmallVector<SmallVector<SmallVector<Pair>>> operands;
    for (int64_t k = 0; k < steps; ++k) {
      operands.emplace_back();
      for (int64_t band = 0; band < bands; ++band) {
        int64_t first = band * p.depth / 2 + 8 * k;
        SmallVector<Pair> &registers = operands.back().emplace_back();
        for (int64_t i = 0; i < 2 * groupsAt(k); ++i)
          registers.push_back(
              split(lanes[first + 2 * i], lanes[first + 2 * i + 1]));
      }
    }
    return operands;
  }

  /// The left operands of all bands at depth 16 k, from shared memory:
  /// registers are (g, 2 t), (g + 8, 2 t), (g, 2 t + 8), (g + 8, 2 t + 8).
  SmallVector<SmallVector<Pair>> loadLeft(int64_t k) {
    LaneMath math{b, loc};
    SharedAddress address =
        pairAddress(p.left.staged,
                    math.add(threads.group, threads.firstRow(b, loc, p.rows)));
    SmallVector<SmallVector<Pair>> operands;
    for (int64_t band = 0; band < bands; ++band) {
      SmallVector<Pair> &registers = operands.emplace_back();
      for (int64_t j = 0; j < groupsAt(k); ++j)
        for (int64_t half : {0, 1})
          registers.push_back(
              loadPair(address.at(16 * band + 8 * half, 64 * k + 32 * j)));
    }
    return operands;
  }

  /// R at depths 16 k + 2 t + 8 j and the next, column 8 n + g.
  Pair loadRight(int64_t k, int64_t j, int64_t n) {
    LaneMath math{b, loc};
    if (p.rightIsTransposed) // row 8 n + g; the two are neighbours
      return loadPair(
          pairAddress(p.right, threads.group).at(8 * n, 64 * k + 32 * j));
    std::array<Value, 2> pair;
    for (int64_t e : {0, 1}) {
      Value row = math.add(math.mul(threads.quad, 2), math.constant(e));
      Value byte = math.mul(math.mod(threads.group, 4), 4);
      SharedAddress address(b, loc, p.right, row, math.div(threads.group, 4),
                            byte);
      pair[e] = LLVM::LoadOp::create(b, loc, b.getF32Type(),
                                     address.at(16 * k + 8 * j, 32 * n),
                                     /*alignment=*/4);
    }
    return split(pair[0], pair[1]);
  }

  /// The pair of neighbours at byte 8 t of the depth's 32 bytes, for a row of
  /// the lane; SharedAddress::at says which rows and depth.
  SharedAddress pairAddress(StagedTile tile, Value row) {
    LaneMath math{b, loc};
    if (panel) {
      int64_t bytes = tile.type.getDimSize(0) * kPanelDepth * 4;
      tile.pointer = advance(b, loc, tile.pointer, math.mul(panel, bytes));
    }
    return SharedAddress(b, loc, tile, row, math.div(threads.quad, 2),
                         math.mul(math.mod(threads.quad, 2), 8));
  }
  Pair loadPair(Value pointer) {
    Value both = LLVM::LoadOp::create(
        b, loc, VectorType::get({2}, b.getF32Type()), pointer, /*alignment=*/8);
    SmallVector<Value> pair = elementsOf(both);
    return split(pair[0], pair[1]);
  }

  //===--------------------------------------------------------------------===//
  // Sums
  //===--------------------------------------------------------------------===//

  static SmallVector<Value> partOf(ArrayRef<Pair> pairs, int64_t part) {
    return llvm::map_to_vector(pairs,
                               [&](const Pair &pair) { return pair[part]; });
  }

  /// `sums` and `left` are those of each band.
  void addBlock(MutableArrayRef<Sums> sums, ArrayRef<SmallVector<Pair>> left,
                int64_t k, int64_t n) {
    SmallVector<Pair> right;
    for (int64_t j = 0; j < groupsAt(k); ++j)
      right.push_back(loadRight(k, j, n));
    for (int64_t band = 0; band < bands; ++band)
      addProducts(sums[band], left[band], right);
  }

  void addProducts(Sums &sums, ArrayRef<Pair> left, ArrayRef<Pair> right) {
    auto add = [&](SmallVectorImpl<Value> &sum, int64_t ofLeft,
                   int64_t ofRight) {
      multiplyAdd(sum, partOf(left, ofLeft), partOf(right, ofRight),
                  NVVM::MMATypes::bf16);
    };
    if (sums.small.empty())
      sums.small.assign(4, zero);
    // Small terms first.
    for (int64_t order = kParts - 1; order > 0; --order)
      for (int64_t i = 0; i <= order; ++i)
        add(sums.small, i, order - i);
    SmallVector<Value, 4> large(4, zero);
    add(large, 0, 0);
    if (!sums.large.empty())
      for (auto [total, next] : llvm::zip(sums.large, large))
        next = arith::AddFOp::create(b, loc, total, next);
    sums.large = large;
  }

  /// acc += large + small. If an operand is an infinity or a NaN, its first
  /// part is, and the others are NaN: then the large terms are the sum.
  void addUp(MutableArrayRef<Value> acc, const Sums &sums) {
    for (auto [value, large, small] : llvm::zip(acc, sums.large, sums.small)) {
      if (p.isTested) {
        Value both = arith::AddFOp::create(b, loc, large, small);
        value = arith::AddFOp::create(b, loc, value, both);
        continue;
      }
      // x - x is 0 or NaN.
      Value none = arith::SubFOp::create(b, loc, large, large);
      Value isNumber =
          arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, none, none);
      Value sum = arith::AddFOp::create(b, loc, large, small);
      sum = arith::SelectOp::create(b, loc, isNumber, sum, large);
      // x + 0 is x but for the sign of a zero.
      value =
          p.startsFromZero ? sum : arith::AddFOp::create(b, loc, value, sum);
    }
  }

  void addUp(ArrayRef<Sums> sums, int64_t n) {
    for (int64_t band = 0; band < bands; ++band)
      addUp(block(band, n), sums[band]);
  }

  Value zero;
  /// Code in a loop over panels reads this one of both tiles, an i32; it is
  /// null outside of such loops.
  Value panel;
};
} // namespace

Value kernels::emitSingleProduct(OpBuilder &b, Location loc,
                                 const Threads &threads,
                                 const Product &product) {
  return SingleProduct(b, loc, threads, product).emit();
}
