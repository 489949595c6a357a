//===- HalfProduct.cpp - Products of 16-bit tiles on tensor cores ---------===//

#include "ProductEmitter.h"
#include "Staging/SharedAddress.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

namespace {
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
    left = elementsOf(vector::BitCastOp::create(b, loc, packed, p.left.lanes));
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
                    ArrayRef(right).slice(2 * side, 2), type);
  }

  NVVM::MMATypes type;
  SmallVector<Value> left;
};
} // namespace

Value kernels::emitProduct(OpBuilder &b, Location loc, const Threads &threads,
                           const Product &product) {
  if (product.right.type.getElementType().isF32())
    return emitSingleProduct(b, loc, threads, product);
  return HalfProduct(b, loc, threads, product).emit();
}
