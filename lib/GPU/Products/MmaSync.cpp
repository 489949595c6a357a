//===- MmaSync.cpp - The instruction of the tensor cores ------------------===//

#include "ProductEmitter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::sparse_attn::kernels;

void ProductEmitter::multiplyAdd(MutableArrayRef<Value> acc,
                                 ArrayRef<Value> left, ArrayRef<Value> right,
                                 NVVM::MMATypes type) {
  auto structType = LLVM::LLVMStructType::getLiteral(
      b.getContext(), SmallVector<Type>(4, b.getF32Type()));
  std::array<NVVM::MMATypes, 2> types = {type, type};
  std::array<NVVM::MMALayout, 2> layouts = {NVVM::MMALayout::row,
                                            NVVM::MMALayout::col};
  int64_t depth = 8 * right.size();
  Value sum =
      NVVM::MmaOp::create(b, loc, structType, left, right, acc, {16, 8, depth},
                          std::nullopt, std::nullopt, types, layouts);
  for (int64_t i = 0; i < 4; ++i)
    acc[i] = LLVM::ExtractValueOp::create(b, loc, sum, i);
}
