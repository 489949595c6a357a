//===- HostObject.cpp - Machine code as object files ----------------------===//

#include "SparseAttn/Package/Compile/HostObject.h"
#include "SparseAttn/Package/Files/Package.h"
#include "SparseAttn/Support/Error.h"
#include "SparseAttn/Target/Target.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::support;

std::unique_ptr<llvm::TargetMachine>
package::makeTargetMachine(const target::CpuTarget &level,
                           const llvm::TargetOptions &options) {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  std::string error;
  llvm::Triple triple(kHostTriple);
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return nullptr;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, level.name, level.features, options, llvm::Reloc::PIC_,
      /*CM=*/std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

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
