//===- Dialect.cpp - Registration of the sparse_attn dialect --------------===//

#include "MaskParameters.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;

#include "SparseAttn/IR/SparseAttnDialect.cpp.inc"
#include "SparseAttn/IR/SparseAttnEnums.cpp.inc"
#include "SparseAttn/IR/SparseAttnInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "SparseAttn/IR/SparseAttnAttributes.cpp.inc"

void SparseAttnDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "SparseAttn/IR/SparseAttnAttributes.cpp.inc"
      >();
}

void SparseAttnDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "SparseAttn/IR/SparseAttnOps.cpp.inc"
      >();
}
