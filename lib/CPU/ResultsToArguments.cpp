//===- ResultsToArguments.cpp - --sparse-attn-results-to-arguments --------===//

#include "SparseAttn/CPU/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNRESULTSTOARGUMENTS
#include "SparseAttn/CPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;

/// The buffer that `value` is, under another type.
static Value traceBuffer(Value value) {
  while (auto cast = value.getDefiningOp<memref::CastOp>())
    value = cast.getSource();
  return value;
}

namespace {
class Rewriter {
public:
  Rewriter(func::FuncOp func, func::ReturnOp end)
      : func(func), end(end), builder(func.getContext()) {}

  void rewrite() {
    SmallVector<Attribute> places;
    for (Value result : end.getOperands())
      places.push_back(place(result));
    end.getOperandsMutable().clear();
    func.setType(FunctionType::get(
        func.getContext(), func.getBody().front().getArgumentTypes(), {}));
    func->setAttr(sparse_attn::kResultPlacesAttr, builder.getArrayAttr(places));
  }

private:
  /// {argument = 3}, {result = 0}, or {} for a result that became an argument.
  DictionaryAttr place(Value result) {
    Value buffer = traceBuffer(result);
    auto number = [&](StringRef kind, int64_t index) {
      return builder.getDictionaryAttr(
          builder.getNamedAttr(kind, builder.getI64IntegerAttr(index)));
    };
    if (auto argument = dyn_cast<BlockArgument>(buffer))
      if (argument.getOwner() == &func.getBody().front())
        return placeOfArgument(argument, number);
    Value target =
        func.getBody().front().addArgument(result.getType(), result.getLoc());
    added[cast<BlockArgument>(target).getArgNumber()] = numPlaced++;
    auto alloc = buffer.getDefiningOp<memref::AllocOp>();
    if (alloc && alloc->getBlock() == &func.getBody().front()) {
      builder.setInsertionPoint(alloc);
      if (target.getType() != alloc.getType())
        target = memref::CastOp::create(builder, alloc.getLoc(),
                                        alloc.getType(), target);
      alloc.replaceAllUsesWith(target);
      alloc.erase();
    } else {
      builder.setInsertionPoint(end);
      memref::CopyOp::create(builder, end.getLoc(), result, target);
    }
    return builder.getDictionaryAttr({});
  }

  template <typename Number>
  DictionaryAttr placeOfArgument(BlockArgument argument, Number number) {
    ++numPlaced;
    // An earlier result has become this argument.
    if (auto it = added.find(argument.getArgNumber()); it != added.end())
      return number("result", it->second);
    return number("argument", argument.getArgNumber());
  }

  func::FuncOp func;
  func::ReturnOp end;
  OpBuilder builder;
  /// The results that new arguments are.
  llvm::DenseMap<unsigned, int64_t> added;
  int64_t numPlaced = 0;
};

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
    auto end = cast<func::ReturnOp>(func.getBody().front().getTerminator());
    Rewriter(func, end).rewrite();
    return success();
  }
};
} // namespace
