//===- Isolate.cpp - A function with all that it needs --------------------===//

#include "SparseAttn/Package/Compile/Isolate.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// Modules inside are namespaces of their own, in which a name cannot be used
/// without naming them.
static void dropUnused(ModuleOp module, func::FuncOp entry) {
  bool changed = true;
  while (changed) {
    changed = false;
    for (Operation &other : llvm::make_early_inc_range(*module.getBody()))
      if (isa<func::FuncOp, ModuleOp>(other) && &other != entry &&
          (!SymbolTable::getSymbolName(&other) ||
           SymbolTable::symbolKnownUseEmpty(&other, module))) {
        other.erase();
        changed = true;
      }
  }
}

/// Whether a function, or one that it calls, has attention.
static bool attends(func::FuncOp func,
                    llvm::SmallPtrSetImpl<Operation *> &seen) {
  if (!seen.insert(func).second)
    return false;
  return func
      .walk([&](Operation *op) {
        if (isa<MaskedReductionOpInterface, MergeOp>(op))
          return WalkResult::interrupt();
        auto call = dyn_cast<func::CallOp>(op);
        auto callee = call ? SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
                                 call, call.getCalleeAttr())
                           : func::FuncOp();
        return callee && attends(callee, seen) ? WalkResult::interrupt()
                                               : WalkResult::advance();
      })
      .wasInterrupted();
}

/// All attention of a program is its own, once calls have been inlined.
static LogicalResult verifyCalls(func::FuncOp func) {
  WalkResult result = func.walk([&](func::CallOp call) {
    llvm::SmallPtrSet<Operation *, 8> seen;
    auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
        call, call.getCalleeAttr());
    if (!callee || !attends(callee, seen))
      return WalkResult::advance();
    call.emitOpError("calls '")
        << call.getCallee()
        << "', whose attention cannot be brought in here: functions that call "
           "themselves or have several blocks are not inlined; write it here, "
           "or name that function by --entry";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

OwningOpRef<ModuleOp> package::isolate(func::FuncOp func) {
  OwningOpRef<ModuleOp> copy(func->getParentOfType<ModuleOp>().clone());
  auto entry = copy->lookupSymbol<func::FuncOp>(func.getName());
  dropUnused(*copy, entry);
  // The inliner drops private functions that nobody calls any more.
  SymbolTable::Visibility visibility = entry.getVisibility();
  entry.setPublic();
  PassManager inlining(copy->getContext());
  inlining.addPass(
      createInlinerPass(/*opPipelines=*/{}, [](OpPassManager &) {}));
  // A call that stays is no failure.
  (void)inlining.run(*copy);
  entry.setVisibility(visibility);
  dropUnused(*copy, entry);
  if (failed(verifyCalls(entry)))
    return {};
  return copy;
}
