//===- ProductEmitter.h - What all products of tiles share ------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_PRODUCTS_PRODUCTEMITTER_H
#define SPARSEATTN_LIB_GPU_PRODUCTS_PRODUCTEMITTER_H

#include "Products.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::sparse_attn::kernels {

/// Emits a product into its accumulator, which it holds taken apart.
class ProductEmitter {
public:
  ProductEmitter(OpBuilder &b, Location loc, const Threads &threads,
                 const Product &product)
      : b(b), loc(loc), threads(threads), p(product),
        bands(threads.bands(product.rows)),
        accumulator(elementsOf(product.accumulator)) {}

protected:
  SmallVector<Value> elementsOf(Value vector) {
    auto elements = vector::ToElementsOp::create(b, loc, vector);
    return SmallVector<Value>(elements.getResults());
  }

  Value result() {
    return vector::FromElementsOp::create(b, loc, p.accumulator.getType(),
                                          accumulator);
  }

  /// The four elements of columns 8 c ... of a band.
  MutableArrayRef<Value> block(int64_t band, int64_t c) {
    return MutableArrayRef(accumulator)
        .slice((band * p.columns / 8 + c) * 4, 4);
  }

  /// acc += left * right, with a mma.sync of 16-bit operands, as deep as there
  /// are registers of them: two for every 8 (MmaSync.cpp).
  void multiplyAdd(MutableArrayRef<Value> acc, ArrayRef<Value> left,
                   ArrayRef<Value> right, NVVM::MMATypes type);

  OpBuilder &b;
  Location loc;
  const Threads &threads;
  const Product &p;
  int64_t bands;
  SmallVector<Value> accumulator;
};

/// The product of f32 operands (SingleProduct.cpp).
Value emitSingleProduct(OpBuilder &b, Location loc, const Threads &threads,
                        const Product &product);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_PRODUCTS_PRODUCTEMITTER_H
