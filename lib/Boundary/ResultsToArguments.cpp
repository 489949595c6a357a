//===- ResultsToArguments.cpp - --sparse-attn-results-to-arguments --------===//

#include "SparseAttn/Boundary/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNRESULTSTOARGUMENTS
#include "SparseAttn/Boundary/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;

/// The buffer that `value` is, under another type.
static Value traceBuffer(Value value) {
  while (auto cast = value.getDefiningOp<memref::CastOp>())
    value = cast.getSource();
  return value;
}

/// The argument that `result` is, or becomes.
static int64_t makeArgument(func::FuncOp func, Value result,
                            func::ReturnOp end) {
  Block *body = &func.getBody().front();
  Value buffer = traceBuffer(result);
  auto argument = dyn_cast<BlockArgument>(buffer);
  if (argument && argument.getOwner() == body)
    return argument.getArgNumber();
  Value target = body->addArgument(result.getType(), result.getLoc());
  int64_t number = cast<BlockArgument>(target).getArgNumber();
  OpBuilder builder(end);
  auto alloc = buffer.getDefiningOp<memref::AllocOp>();
  if (!alloc || alloc->getBlock() != body) {
    memref::CopyOp::create(builder, end.getLoc(), result, target);
    return number;
  }
  builder.setInsertionPoint(alloc);
  if (target.getType() != alloc.getType())
    target = memref::CastOp::create(builder, alloc.getLoc(), alloc.getType(),
                                    target);
  alloc.replaceAllUsesWith(target);
  alloc.erase();
  return number;
}

static void takeResults(func::FuncOp func) {
  auto end = cast<func::ReturnOp>(func.getBody().front().getTerminator());
  SmallVector<int64_t> places;
  for (Value result : end.getOperands())
    places.push_back(makeArgument(func, result, end));
  end.getOperandsMutable().clear();
  Builder builder(func.getContext());
  auto type = FunctionType::get(func.getContext(),
                                func.getBody().front().getArgumentTypes(), {});
  func.setType(type);
  func->setAttr(sparse_attn::kResultPlacesAttr,
                builder.getDenseI64ArrayAttr(places));
  func->setAttr(sparse_attn::kBuffersAttr, TypeAttr::get(type));
}

namespace {
struct ResultsToArgumentsPass
    : sparse_attn::impl::SparseAttnResultsToArgumentsBase<
          ResultsToArgumentsPass> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (failed(rewrite(func)))
        return signalPassFailure();
  }

  LogicalResult rewrite(func::FuncOp func) {
    if (func.isExternal() ||
        !SymbolTable::symbolKnownUseEmpty(func, getOperation()))
      return success();
    if (!func.getBody().hasOneBlock())
      return func.emitOpError("has control flow; its results are made "
                              "arguments in functions of one block only");
    for (Type type : func.getResultTypes())
      if (!isa<MemRefType>(type))
        return func.emitOpError("returns ")
               << type << "; only buffers are made arguments: bufferise first";
    takeResults(func);
    return success();
  }
};
} // namespace
