//===- HostObject.cpp - Machine code as object files ----------------------===//

#include "SparseAttn/Package/Compile/HostObject.h"
#include "SparseAttn/Support/Error.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::support;

void package::setTarget(llvm::Module &module,
                        const llvm::TargetMachine &target) {
  module.setTargetTriple(target.getTargetTriple());
  module.setDataLayout(target.createDataLayout());
}

llvm::Expected<std::string> package::emitObject(llvm::Module &module,
                                                llvm::TargetMachine &target) {
  llvm::SmallString<0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  if (target.addPassesToEmitFile(passes, stream, nullptr,
                                 llvm::CodeGenFileType::ObjectFile))
    return makeError("this LLVM writes no object files for {0}",
                     target.getTargetTriple().str());
  passes.run(module);
  return object.str().str();
}
