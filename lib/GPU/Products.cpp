//===- Products.cpp - Products of tiles on tensor cores -------------------===//

#include "Products.h"
#include "SharedAddress.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::sparse_attn;

static SmallVector<Value> elementsOf(OpBuilder &b, Location loc, Value vector) {
  auto elements = vector::ToElementsOp::create(b, loc, vector);
  return SmallVector<Value>(elements.getResults());
}

namespace {
/// What both kinds of product share: the accumulator, taken apart.
class ProductEmitter {
public:
  ProductEmitter(OpBuilder &b, Location loc, const Threads &threads,
                 const Product &product)
      : b(b), loc(loc), threads(threads), p(product),
        bands(threads.bands(product.rows)),
        accumulator(elementsOf(b, loc, product.accumulator)) {}

  Value result() {
    return vector::FromElementsOp::create(b, loc, p.accumulator.getType(),
                                          accumulator);
  }

protected:
  /// The four elements of columns 8 c ... of a band.
  MutableArrayRef<Value> block(int64_t band, int64_t c) {
    return MutableArrayRef(accumulator)
        .slice((band * p.columns / 8 + c) * 4, 4);
  }

  /// acc += left * right, with an mma.sync of the given depth.
  void multiplyAdd(MutableArrayRef<Value> acc, ArrayRef<Value> left,
                   ArrayRef<Value> right, int64_t depth, NVVM::MMATypes type) {
    auto structType = LLVM::LLVMStructType::getLiteral(
        b.getContext(), SmallVector<Type>(4, b.getF32Type()));
    std::array<NVVM::MMATypes, 2> types = {type, type};
    std::array<NVVM::MMALayout, 2> layouts = {NVVM::MMALayout::row,
                                              NVVM::MMALayout::col};
    Value sum = NVVM::MmaOp::create(b, loc, structType, left, right, acc,
                                    {16, 8, depth}, std::nullopt, std::nullopt,
                                    types, layouts);
    for (int64_t i = 0; i < 4; ++i)
      acc[i] = LLVM::ExtractValueOp::create(b, loc, sum, i);
  }

  OpBuilder &b;
  Location loc;
  const Threads &threads;
  const Product &p;
  int64_t bands;
  SmallVector<Value> accumulator;
};

/// f16 and bf16: for each 16 of the depth and 16 columns one ldmatrix.x4, used
/// by all bands.
class HalfProduct : public ProductEmitter {
public:
  using ProductEmitter::ProductEmitter;

  Value emit() {
    Type element = p.right.type.getElementType();
    type = element.isF16() ? NVVM::MMATypes::f16 : NVVM::MMATypes::bf16;
    if (!p.left.staged.pointer)
      unpackLeft();
    SharedAddress address = laneAddress();
    for (int64_t k = 0; k < p.depth / 16; ++k) {
      SmallVector<SmallVector<Value>> rows = leftAt(k);
      for (int64_t n = 0; n < p.columns / 16; ++n)
        emitBlock(address, rows, k, n);
    }
    return result();
  }

private:
  /// What mma.sync takes for two elements: an i32, or a pair for f16.
  Value operand(Value packed) {
    if (type != NVVM::MMATypes::f16)
      return packed;
    return LLVM::BitcastOp::create(b, loc, VectorType::get({2}, b.getF16Type()),
                                   packed);
  }

  /// Pairs of elements as operands, where threads hold the left tile.
  void unpackLeft() {
    auto type = cast<VectorType>(p.left.lanes.getType());
    auto packed = VectorType::get({type.getNumElements() / 2}, b.getI32Type());
    left = elementsOf(b, loc,
                      vector::BitCastOp::create(b, loc, packed, p.left.lanes));
    for (Value &value : left)
      value = operand(value);
  }

  /// The left operands of all bands at depth 16 k. From shared memory, the
  /// matrices of ldmatrix.x4 are those at (0, 0), (8, 0), (0, 8), (8, 8).
  SmallVector<SmallVector<Value>> leftAt(int64_t k) {
    SmallVector<SmallVector<Value>> operands;
    if (!p.left.staged.pointer) {
      for (int64_t band = 0; band < bands; ++band)
        operands.emplace_back(
            ArrayRef(left).slice((band * p.depth / 16 + k) * 4, 4));
      return operands;
    }
    LaneMath math{b, loc};
    Value row =
        math.add(math.mod(threads.lane, 16), math.mul(threads.warp, 16));
    SharedAddress address(b, loc, p.left.staged, row,
                          math.div(threads.lane, 16));
    for (int64_t band = 0; band < bands; ++band)
      operands.push_back(
          loadMatrices(address.at(16 * band * threads.numWarps, 32 * k),
                       /*transpose=*/false));
    return operands;
  }

  /// The four operand registers that ldmatrix.x4 loads.
  SmallVector<Value> loadMatrices(Value pointer, bool transpose) {
    auto structType = LLVM::LLVMStructType::getLiteral(
        b.getContext(), SmallVector<Type>(4, b.getI32Type()));
    Value matrices = NVVM::LdMatrixOp::create(
        b, loc, structType, pointer, 4,
        transpose ? NVVM::MMALayout::col : NVVM::MMALayout::row,
        NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8),
        NVVM::LdStMatrixEltType::B16);
    SmallVector<Value> registers;
    for (int64_t i = 0; i < 4; ++i)
      registers.push_back(
          operand(LLVM::ExtractValueOp::create(b, loc, matrices, i)));
    return registers;
  }

  /// ldmatrix.x4 takes the addresses of 8 rows of a first 8x8 matrix from lanes
  /// 0-7, those of a second from 8-15, and so on. Stored [column, depth], the
  /// matrices are those at (0, 0), (0, 8), (8, 0), (8, 8); stored [depth,
  /// column] and read transposed, those at (0, 0), (8, 0), (0, 8), (8, 8): both
  /// ways the first two are the operand of 8 columns, the last two the next.
  SharedAddress laneAddress() {
    LaneMath math{b, loc};
    Value low = math.mod(threads.lane, 8);
    Value second = math.mod(math.div(threads.lane, 8), 2);
    Value upper = math.div(threads.lane, 16);
    Value rowBit = p.rightIsTransposed ? upper : second;
    Value chunkBit = p.rightIsTransposed ? second : upper;
    return SharedAddress(b, loc, p.right, math.add(low, math.mul(rowBit, 8)),
                         chunkBit);
  }

  void emitBlock(SharedAddress &address, ArrayRef<SmallVector<Value>> rows,
                 int64_t k, int64_t n) {
    Value pointer = p.rightIsTransposed ? address.at(16 * n, 32 * k)
                                        : address.at(16 * k, 32 * n);
    SmallVector<Value> right =
        loadMatrices(pointer, /*transpose=*/!p.rightIsTransposed);
    for (int64_t band = 0; band < bands; ++band)
      for (int64_t side : {0, 1})
        multiplyAdd(block(band, 2 * n + side), rows[band],
                    ArrayRef(right).slice(2 * side, 2), 16, type);
  }

  NVVM::MMATypes type;
  SmallVector<Value> left;
};

/// f32 by TF32. The depth is numbered so that a thread's two columns 2t and
/// 2t + 1 of the left operand, which it holds, are the operand's columns t and
/// t + 4; the right operand's rows are read in the same order.
class SingleProduct : public ProductEmitter {
public:
  using ProductEmitter::ProductEmitter;

  Value emit() {
    if (!p.left.staged.pointer)
      for (Value element : elementsOf(b, loc, p.left.lanes))
        left.push_back(split(element));
    for (int64_t k = 0; k < p.depth / 8; ++k) {
      SmallVector<SmallVector<Split>> rows = leftAt(k);
      for (int64_t n = 0; n < p.columns / 8; ++n)
        emitBlock(rows, k, n);
    }
    return result();
  }

private:
  /// A number as two of TF32's precision. `finite` is high, but 0 for an
  /// infinity or NaN: what multiplies low parts, which may be zero.
  struct Split {
    Value high, low, finite;
  };

  Value toTF32(Value x) {
    return NVVM::ConvertFloatToTF32Op::create(
        b, loc, b.getI32Type(), x, NVVM::FPRoundingMode::RNA,
        NVVM::SaturationMode::NONE, /*relu=*/false);
  }
  Split split(Value x) {
    Value high = toTF32(x);
    Value rounded = LLVM::BitcastOp::create(b, loc, b.getF32Type(), high);
    Value rest = arith::SubFOp::create(b, loc, x, rounded);
    // An infinity is high alone: what is left of it is no number.
    Value isNumber =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, rest, rest);
    Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
    rest = arith::SelectOp::create(b, loc, isNumber, rest, zero);
    Value none = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
    Value finite = arith::SelectOp::create(b, loc, isNumber, high, none);
    return {high, toTF32(rest), finite};
  }

  Value load(Value pointer) {
    return LLVM::LoadOp::create(b, loc, b.getF32Type(), pointer,
                                /*alignment=*/4);
  }

  /// The pair of neighbours at byte 8 t of the depth's 32 bytes, for a row of
  /// the lane; SharedAddress::at says which rows and depth.
  SharedAddress pairAddress(const StagedTile &tile, Value row) {
    LaneMath math{b, loc};
    return SharedAddress(b, loc, tile, row, math.div(threads.quad, 2),
                         math.mul(math.mod(threads.quad, 2), 8));
  }
  std::array<Value, 2> loadPair(Value pointer) {
    return {load(pointer), load(advance(b, loc, pointer, 4))};
  }

  /// The left operands of all bands at depth 8 k, [half][e].
  SmallVector<SmallVector<Split>> leftAt(int64_t k) {
    SmallVector<SmallVector<Split>> operands;
    if (!p.left.staged.pointer) {
      for (int64_t band = 0; band < bands; ++band)
        operands.emplace_back(
            ArrayRef(left).slice((band * p.depth / 8 + k) * 4, 4));
      return operands;
    }
    LaneMath math{b, loc};
    SharedAddress address = pairAddress(
        p.left.staged, math.add(threads.group, math.mul(threads.warp, 16)));
    for (int64_t band = 0; band < bands; ++band) {
      SmallVector<Split> &rows = operands.emplace_back();
      for (int64_t half : {0, 1})
        for (Value element : loadPair(
                 address.at(16 * band * threads.numWarps + 8 * half, 32 * k)))
          rows.push_back(split(element));
    }
    return operands;
  }

  /// R at depth 8 k + 2 t and 8 k + 2 t + 1, column 8 n + g.
  std::array<Value, 2> loadRight(int64_t k, int64_t n) {
    LaneMath math{b, loc};
    if (p.rightIsTransposed) {
      // Row 8 n + g; the two are neighbours.
      return loadPair(pairAddress(p.right, threads.group).at(8 * n, 32 * k));
    }
    // Rows 8 k + 2 t and the next; column g, 4 g bytes into the row.
    std::array<Value, 2> pair;
    for (int64_t e : {0, 1}) {
      Value row = math.add(math.mul(threads.quad, 2), math.constant(e));
      Value byte = math.mul(math.mod(threads.group, 4), 4);
      SharedAddress address(b, loc, p.right, row, math.div(threads.group, 4),
                            byte);
      pair[e] = load(address.at(8 * k, 32 * n));
    }
    return pair;
  }

  void emitBlock(ArrayRef<SmallVector<Split>> lefts, int64_t k, int64_t n) {
    std::array<Value, 2> pair = loadRight(k, n);
    Split first = split(pair[0]), second = split(pair[1]);
    for (int64_t band = 0; band < bands; ++band) {
      // [half][e] -> operand registers (g, t), (g + 8, t), (g, t + 4), ...
      ArrayRef<Split> held = lefts[band];
      std::array<Split, 4> rows = {held[0], held[2], held[1], held[3]};
      SmallVector<Value> high, low, finite;
      for (const Split &value : rows) {
        high.push_back(value.high);
        low.push_back(value.low);
        finite.push_back(value.finite);
      }
      // Small terms first.
      auto add = [&](ArrayRef<Value> a, Value b0, Value b1) {
        multiplyAdd(block(band, n), a, {b0, b1}, 8, NVVM::MMATypes::tf32);
      };
      add(low, first.finite, second.finite);
      add(finite, first.low, second.low);
      add(high, first.high, second.high);
    }
  }

  SmallVector<Split> left;
};
} // namespace

Value mlir::sparse_attn::emitProduct(OpBuilder &b, Location loc,
                                     const Threads &threads,
                                     const Product &product) {
  if (product.right.type.getElementType().isF32())
    return SingleProduct(b, loc, threads, product).emit();
  return HalfProduct(b, loc, threads, product).emit();
}
