//===- Symbols.cpp - Names that machine code can have ---------------------===//

#include "SparseAttn/Package/Compile/Symbols.h"
#include "SparseAttn/Package/Files/Package.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

static bool isDeclaration(SymbolOpInterface symbol) {
  Operation *op = symbol;
  if (auto function = dyn_cast<LLVM::LLVMFuncOp>(op))
    return function.isExternal();
  if (auto global = dyn_cast<LLVM::GlobalOp>(op))
    return !global.getValueAttr() && global.getInitializerRegion().empty();
  if (auto global = dyn_cast<memref::GlobalOp>(op))
    return global.isExternal();
  return symbol.isDeclaration();
}

/// LLVM's own lists, such as that of constructors, go by their name.
static bool isList(Operation *op) {
  auto global = dyn_cast<LLVM::GlobalOp>(op);
  return global && global.getLinkage() == LLVM::Linkage::Appending;
}

LogicalResult package::dropDeclarations(ModuleOp module) {
  for (auto symbol :
       llvm::make_early_inc_range(module.getOps<SymbolOpInterface>())) {
    if (!isDeclaration(symbol))
      continue;
    if (SymbolTable::symbolKnownUseEmpty(symbol, module))
      symbol.erase();
    else if (isa<func::FuncOp>(symbol))
      return symbol.emitOpError(
          "is called and only declared; define it in this file");
  }
  return success();
}

/// A use that cannot be renamed would be left to the verifier.
static void rename(SymbolTable &symbols, Operation *op, std::string name) {
  while (symbols.lookup(name) && symbols.lookup(name) != op)
    name += '_';
  (void)symbols.rename(op, name);
}

void package::renameToIdentifiers(ModuleOp module) {
  SymbolTable symbols(module);
  for (auto func : module.getOps<func::FuncOp>())
    rename(symbols, func, makeIdentifier(func.getName()));
}

void package::renameForMachineCode(ModuleOp module) {
  SymbolTable symbols(module);
  for (auto symbol : module.getOps<SymbolOpInterface>())
    if (!isDeclaration(symbol) && !isList(symbol))
      rename(symbols, symbol,
             kMachinePrefix + makeIdentifier(symbol.getName()));
}
