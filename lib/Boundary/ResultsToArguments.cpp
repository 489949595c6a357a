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

/// What is said of a result holds for the argument that it becomes; what the
/// argument says itself comes first.
static void keepAttributes(func::FuncOp func, unsigned result,
                           unsigned argument) {
  for (NamedAttribute attribute : func.getResultAttrs(result))
    if (!func.getArgAttr(argument, attribute.getName()))
      func.setArgAttr(argument, attribute.getName(), attribute.getValue());
}

/// The argument that `result` is, or becomes.
static int64_t makeArgument(func::FuncOp func, Value result,
                            func::ReturnOp end) {
  Block *body = &func.getBody().front();
  Value buffer = traceBuffer(result);
  auto argument = dyn_cast<BlockArgument>(buffer);
  if (argument && argument.getOwner() == body)
    return argument.getArgNumber();
  int64_t number = func.getNumArguments();
  // Fails for external functions only.
  (void)func.insertArgument(number, result.getType(), /*argAttrs=*/{},
                            result.getLoc());
  Value target = func.getArgument(number);
  OpBuilder builder(end);
  auto alloc = buffer.getDefiningOp<memref::AllocOp>();
  if (!alloc || alloc->getBlock() != body) {
    emitRemark(result.getLoc())
        << "is copied into the caller's memory, as it is no allocation of the "
           "function itself; return what attention in the function's own block "
           "gives";
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
  for (auto [index, result] : llvm::enumerate(end.getOperands())) {
    places.push_back(makeArgument(func, result, end));
    keepAttributes(func, index, places.back());
  }
  end.getOperandsMutable().clear();
  (void)func.eraseResults(llvm::BitVector(func.getNumResults(), /*t=*/true));
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
