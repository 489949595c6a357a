//===- DynamicStrides.cpp - --sparse-attn-dynamic-strides -----------------===//

#include "SparseAttn/Boundary/Passes.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNDYNAMICSTRIDES
#include "SparseAttn/Boundary/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// The same tensor with rows anywhere, elements of a row side by side.
static MemRefType strided(MemRefType type) {
  SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
  strides.back() = 1;
  return MemRefType::get(
      type.getShape(), type.getElementType(),
      StridedLayoutAttr::get(type.getContext(), /*offset=*/0, strides),
      type.getMemorySpace());
}

/// Whether an operation can be done on any strides: what flattens a buffer, or
/// calls a function with it, needs it dense.
static bool takesAnyStrides(Operation *user) {
  // Host code; what is left of it becomes loops.
  if (isa<linalg::LinalgOp>(user))
    return true;
  return isa<memref::DimOp, memref::LoadOp, memref::StoreOp, memref::CopyOp,
             memref::DeallocOp, vector::LoadOp, vector::StoreOp,
             vector::TransferReadOp, vector::TransferWriteOp, ReadRowsOp,
             WriteRowsOp, func::ReturnOp>(user);
}

/// What needs a buffer dense, or null.
static Operation *findDenseUser(Value buffer) {
  for (Operation *user : buffer.getUsers()) {
    Operation *dense = user;
    if (isa<memref::SubViewOp, memref::CastOp>(user))
      dense = findDenseUser(user->getResult(0));
    else if (takesAnyStrides(user))
      dense = nullptr;
    if (dense)
      return dense;
  }
  return nullptr;
}

/// Gives a buffer another layout, and all views of it theirs.
static void retype(Value buffer, MemRefType type) {
  buffer.setType(type);
  for (Operation *user : buffer.getUsers()) {
    if (auto view = dyn_cast<memref::SubViewOp>(user))
      retype(view, memref::SubViewOp::inferRankReducedResultType(
                       view.getType().getShape(), type, view.getMixedOffsets(),
                       view.getMixedSizes(), view.getMixedStrides()));
    else if (auto same = dyn_cast<memref::CastOp>(user))
      retype(same, MemRefType::get(cast<MemRefType>(same.getType()).getShape(),
                                   type.getElementType(), type.getLayout(),
                                   type.getMemorySpace()));
  }
}

/// Tensors of one dimension have no rows that could lie apart.
static bool isDenseTensor(Value value) {
  auto type = dyn_cast<MemRefType>(value.getType());
  return type && type.getLayout().isIdentity() && type.getRank() >= 2;
}

/// Buffers that are allocated to be returned are the caller's to choose: they
/// become arguments, in the order of their allocation.
static void takeResults(func::FuncOp func) {
  Block &body = func.getBody().front();
  llvm::SmallPtrSet<Value, 4> returned;
  for (Value value : body.getTerminator()->getOperands()) {
    while (auto cast = value.getDefiningOp<memref::CastOp>())
      value = cast.getSource();
    returned.insert(value);
  }
  for (auto alloc : llvm::make_early_inc_range(body.getOps<memref::AllocOp>()))
    if (returned.contains(alloc)) {
      // Fails for external functions only.
      unsigned number = func.getNumArguments();
      (void)func.insertArgument(number, alloc.getType(), /*argAttrs=*/{},
                                alloc.getLoc());
      alloc.replaceAllUsesWith(func.getArgument(number));
      alloc.erase();
    }
}

static void makeStrided(func::FuncOp func) {
  takeResults(func);
  Block &body = func.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    if (!isDenseTensor(argument))
      continue;
    if (Operation *user = findDenseUser(argument))
      user->emitRemark("needs argument ")
          << argument.getArgNumber()
          << " of its function dense and row-major, so callers may pass no "
             "other; compute this outside the function";
    else
      retype(argument, strided(cast<MemRefType>(argument.getType())));
  }
  func.setFunctionType(
      FunctionType::get(func.getContext(), body.getArgumentTypes(),
                        body.getTerminator()->getOperandTypes()));
}

namespace {
struct DynamicStridesPass
    : sparse_attn::impl::SparseAttnDynamicStridesBase<DynamicStridesPass> {
  using Base::Base;

  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>())
      // A caller inside the module passes what the function took before.
      if (!func.isExternal() && func.getBody().hasOneBlock() &&
          SymbolTable::symbolKnownUseEmpty(func, getOperation()))
        makeStrided(func);
  }
};
} // namespace
