//===- ByteKernels.cpp - --sparse-attn-byte-kernels -----------------------===//

#include "SparseAttn/CPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNBYTEKERNELS
#include "SparseAttn/CPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;

namespace {
/// A kernel on the way to its new arguments.
class Flattening {
public:
  explicit Flattening(func::FuncOp kernel)
      : kernel(kernel), b(OpBuilder::atBlockBegin(&kernel.getBody().front())),
        old(kernel.getArguments().drop_back()) {}

  LogicalResult run() {
    for (BlockArgument argument : old)
      if (auto type = dyn_cast<MemRefType>(argument.getType());
          !type || !type.getLayout().isIdentity() ||
          !type.getElementType().isIntOrFloat())
        return kernel.emitOpError("takes a ")
               << argument.getType()
               << "; only dense buffers of integers and floats are bytes";
    auto bytes = MemRefType::get({ShapedType::kDynamic}, b.getI8Type());
    SmallVector<Value> buffers;
    for (size_t i = 0; i < old.size(); ++i)
      buffers.push_back(addArgument(bytes));
    for (auto [argument, buffer] : llvm::zip_equal(old, buffers))
      argument.replaceAllUsesWith(view(buffer, argument.getType()));
    // The number of the workgroup stays last.
    Block &body = kernel.getBody().front();
    body.eraseArguments(0, old.size());
    kernel.setFunctionType(
        b.getFunctionType(body.getArgumentTypes(), TypeRange()));
    return success();
  }

private:
  Value addArgument(Type type) {
    Block &body = kernel.getBody().front();
    return body.insertArgument(body.getNumArguments() - 1, type,
                               kernel.getLoc());
  }

  Value view(Value buffer, Type type) {
    Location loc = kernel.getLoc();
    auto memref = cast<MemRefType>(type);
    SmallVector<Value> sizes;
    for (size_t i = 0; i < memref.getNumDynamicDims(); ++i)
      sizes.push_back(arith::IndexCastOp::create(b, loc, b.getIndexType(),
                                                 addArgument(b.getI32Type())));
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    return memref::ViewOp::create(b, loc, memref, buffer, zero, sizes);
  }

  func::FuncOp kernel;
  OpBuilder b;
  SmallVector<BlockArgument> old;
};

struct ByteKernelsPass
    : sparse_attn::impl::SparseAttnByteKernelsBase<ByteKernelsPass> {
  void runOnOperation() override {
    for (auto func : llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      if (!func->hasAttr(sparse_attn::kLoopKernelAttr)) {
        if (callsKernel(func))
          func.erase();
        continue;
      }
      func.setPublic();
      if (failed(Flattening(func).run()))
        return signalPassFailure();
    }
  }

  static bool callsKernel(func::FuncOp func) {
    return func
        .walk([&](func::CallOp call) {
          auto callee = dyn_cast_or_null<func::FuncOp>(
              SymbolTable::lookupNearestSymbolFrom(call, call.getCalleeAttr()));
          return callee && callee->hasAttr(sparse_attn::kLoopKernelAttr)
                     ? WalkResult::interrupt()
                     : WalkResult::advance();
        })
        .wasInterrupted();
  }
};
} // namespace
