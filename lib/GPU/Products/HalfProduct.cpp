//===- HalfProduct.cpp - Products of 16-bit tiles on tensor cores ---------===//

#include "ProductEmitter.h"
#include "Staging/SharedAddress.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

namespace {
/// f16 and bf16: for each 16 of the depth and 16 columns one ldmatrix.x4, used
/// by all bands. Where 8 of one of them are left, it is ldmatrix.x2.
class HalfProduct : public ProductEmitter {
public:
  using ProductEmitter::ProductEmitter;

  Value emit() {
    Type element = p.right.type.getElementType();
    type = element.isF16() ? NVVM::MMATypes::f16 : NVVM::MMATypes::bf16;
    if (!p.left.staged.pointer)
      unpackLeft();
    int64_t whole = p.depth / 16;
    emitDepths(0, whole);
    emitDepths(whole, llvm::divideCeil(p.depth, 16));
    return result();
  }

private:
  /// Groups of 8 in the 16 that start at 16 i: the last may be one.
  static int64_t groupsAt(int64_t size, int64_t i) {
    return std::min<int64_t>(2, size / 8 - 2 * i);
  }

  /// Depths of 16 from number `first` on, all of as many groups.
  void emitDepths(int64_t first, int64_t end) {
    if (first == end)
      return;
    SharedAddress address = laneAddress(groupsAt(p.depth, first));
    int64_t blocks = llvm::divideCeil(p.columns, 16);
    for (int64_t k = first; k < end; ++k) {
      SmallVector<SmallVector<Value>> rows = leftAt(k);
      for (int64_t n = 0; n < blocks; ++n)
        emitBlock(address, rows, k, n);
    }
  }

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
  /// matrices of ldmatrix are those at (0, 0), (8, 0), (0, 8), (8, 8), of which
  /// a last depth of 8 has the first two.
  SmallVector<SmallVector<Value>> leftAt(int64_t k) {
    SmallVector<SmallVector<Value>> operands;
    int64_t count = 2 * groupsAt(p.depth, k);
    if (!p.left.staged.pointer) {
      for (int64_t band = 0; band < bands; ++band)
        operands.emplace_back(
            ArrayRef(left).slice(band * p.depth / 4 + 4 * k, count));
      return operands;
    }
    LaneMath math{b, loc};
    Value row =
        math.add(math.mod(threads.lane, 16), threads.firstRow(b, loc, p.rows));
    SharedAddress address(b, loc, p.left.staged, row,
                          math.div(threads.lane, 16));
    for (int64_t band = 0; band < bands; ++band)
      operands.push_back(loadMatrices(address.at(16 * band, 32 * k), count,
                                      /*transpose=*/false));
    return operands;
  }

  /// The operand registers that ldmatrix loads, 2 or 4 of them.
  SmallVector<Value> loadMatrices(Value pointer, int64_t count,
                                  bool transpose) {
    auto structType = LLVM::LLVMStructType::getLiteral(
        b.getContext(), SmallVector<Type>(count, b.getI32Type()));
    Value matrices = NVVM::LdMatrixOp::create(
        b, loc, structType, pointer, count,
        transpose ? NVVM::MMALayout::col : NVVM::MMALayout::row,
        NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8),
        NVVM::LdStMatrixEltType::B16);
    SmallVector<Value> registers;
    for (int64_t i = 0; i < count; ++i)
      registers.push_back(
          operand(LLVM::ExtractValueOp::create(b, loc, matrices, i)));
    return registers;
  }

  /// ldmatrix takes the addresses of 8 rows of a first 8x8 matrix from lanes
  /// 0-7, those of a second from 8-15, and of x4 two more from the others.
  /// Stored [column, depth], the matrices of x4 are those at (0, 0), (0, 8),
  /// (8, 0), (8, 8); stored [depth, column] and read transposed, those at
  /// (0, 0), (8, 0), (0, 8), (8, 8): both ways the first two are the operand of
  /// 8 columns, the last two the next. Of a depth of 8 a matrix is an operand.
  SharedAddress laneAddress(int64_t depthGroups) {
    LaneMath math{b, loc};
    Value low = math.mod(threads.lane, 8);
    Value second = math.mod(math.div(threads.lane, 8), 2);
    Value upper = math.div(threads.lane, 16);
    Value depthBit = depthGroups == 2 ? second : upper;
    Value columnBit = depthGroups == 2 ? upper : second;
    Value rowBit = p.rightIsTransposed ? columnBit : depthBit;
    Value chunkBit = p.rightIsTransposed ? depthBit : columnBit;
    return SharedAddress(b, loc, p.right, math.add(low, math.mul(rowBit, 8)),
                         chunkBit);
  }

  void emitBlock(SharedAddress &address, ArrayRef<SmallVector<Value>> rows,
                 int64_t k, int64_t n) {
    Value pointer = p.rightIsTransposed ? address.at(16 * n, 32 * k)
                                        : address.at(16 * k, 32 * n);
    // Tiles have a multiple of 16 rows, so that one of both is 2.
    int64_t depth = groupsAt(p.depth, k), sides = groupsAt(p.columns, n);
    SmallVector<Value> right = loadMatrices(pointer, depth * sides,
                                            /*transpose=*/!p.rightIsTransposed);
    for (int64_t band = 0; band < bands; ++band)
      for (int64_t side = 0; side < sides; ++side)
        multiplyAdd(block(band, 2 * n + side), rows[band],
                    ArrayRef(right).slice(depth * side, depth), type);
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
