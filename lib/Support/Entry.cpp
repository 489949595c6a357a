//===- Entry.cpp - The functions of a file, by name -----------------------===//

#include "SparseAttn/Support/Entry.h"
#include "SparseAttn/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::support;

std::string support::getPath(FunctionOpInterface func) {
  std::string path = func.getName().str();
  Operation *scope = func->getParentOp();
  for (; scope && scope->getParentOp(); scope = scope->getParentOp())
    if (auto name =
            scope->getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName()))
      path = (name.getValue() + "::" + path).str();
  return path;
}

std::string support::listPaths(ArrayRef<FunctionOpInterface> functions) {
  if (functions.empty())
    return "none";
  return llvm::join(llvm::map_range(functions, getPath), ", ");
}

llvm::Expected<FunctionOpInterface>
support::findByName(ArrayRef<FunctionOpInterface> functions, StringRef entry) {
  SmallVector<FunctionOpInterface> found, sameName;
  for (FunctionOpInterface func : functions) {
    if (getPath(func) == entry)
      found.push_back(func);
    if (func.getName() == entry)
      sameName.push_back(func);
  }
  if (found.empty())
    found = std::move(sameName);
  if (found.empty())
    return makeError("no function '{0}'; the file defines: {1}", entry,
                     listPaths(functions));
  if (found.size() > 1)
    return makeError("several functions are called '{0}' ({1}); name one by "
                     "its modules too, as in --entry=MODULE::FUNCTION, and "
                     "give modules without a name one",
                     entry, listPaths(found));
  return found.front();
}
