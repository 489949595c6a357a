//===- Isolate.cpp - A function with all that it needs --------------------===//

#include "SparseAttn/Package/Compile/Isolate.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

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

OwningOpRef<ModuleOp> mlir::sparse_attn::package::isolate(func::FuncOp func) {
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
  return copy;
}
