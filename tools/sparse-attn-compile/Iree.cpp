//===- Iree.cpp - --emit=iree ---------------------------------------------===//

#include "Iree.h"
#include "SparseAttn/Package/Iree/Iree.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

static llvm::Expected<IreeProgram> compileFor(func::FuncOp func,
                                              const IreeTarget &target) {
  if (const auto *cpu = std::get_if<HostOptions>(&target))
    return compileForIree(func, *cpu);
  return compileForIree(func, *std::get<const NVVMPipelineOptions *>(target));
}

llvm::Expected<std::vector<OutputFile>>
package::makeIreeFiles(llvm::ArrayRef<func::FuncOp> functions,
                       const IreeTarget &target) {
  std::vector<OutputFile> files;
  for (func::FuncOp func : functions) {
    llvm::Expected<IreeProgram> compiled = compileFor(func, target);
    if (!compiled)
      return compiled.takeError();
    compiled->attention = findAttention(func);
    std::string name = makeIdentifier(func.getName());
    compiled->objectFile = name + (compiled->isHost ? ".o" : ".ptx");
    files.push_back({"iree", compiled->objectFile, compiled->code});
    files.push_back({"iree", name + ".iree.mlir", printIreeModule(*compiled)});
    if (compiled->attention.whyNone.empty())
      files.push_back({"iree", name + ".spec.mlir", printIreeSpec(*compiled)});
    else
      func.emitRemark("no ")
          << name << ".spec.mlir is written: " << compiled->attention.whyNone;
  }
  return files;
}
