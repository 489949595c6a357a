//===- Emulate.cpp - A package's kernels for the emulator -----------------===//

#include "SparseAttn/Package/Emulate/Emulate.h"
#include "SparseAttn/Emulator/Pipeline.h"
#include "SparseAttn/Package/Compile/Compile.h"
#include "SparseAttn/Package/Compile/HostObject.h"
#include "SparseAttn/Package/Compile/Symbols.h"
#include "SparseAttn/Support/Error.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::support;

/// A module in the LLVM dialect as an object file for the processor this runs
/// on, not optimised: emulated kernels are calls of the emulator most of the
/// time.
static llvm::Expected<std::string> emitForThisProcessor(ModuleOp module) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return builder.takeError();
  builder->setCodeGenOptLevel(llvm::CodeGenOptLevel::None);
  builder->setRelocationModel(llvm::Reloc::PIC_);
  auto target = builder->createTargetMachine();
  if (!target)
    return target.takeError();

  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(module, context);
  if (!code)
    return makeError("cannot make host code of the kernels");
  setTarget(*code, **target);
  return emitObject(*code, **target);
}

llvm::Expected<std::string>
package::compileForEmulator(func::FuncOp func,
                            const NVVMPipelineOptions &options) {
  llvm::Expected<OwningOpRef<ModuleOp>> lowered = lowerToKernels(func, options);
  if (!lowered)
    return lowered.takeError();
  ModuleOp module = **lowered;
  // A program that loads the object launches its kernels itself.
  for (auto host : llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
    host.erase();
  renameForMachineCode(module);
  PassManager emulating(module.getContext());
  EmulatorPipelineOptions emulation;
  emulation.exportKernels = true;
  buildEmulatorPipeline(emulating, emulation);
  if (failed(emulating.run(module)))
    return makeError(
        "cannot compile '{0}' for the emulator, for the errors above",
        func.getName());
  return emitForThisProcessor(module);
}

llvm::Expected<OutputFile>
package::compileForDouble(func::FuncOp func, const NVVMPipelineOptions &options,
                          StringRef ptx) {
  llvm::Expected<std::string> object = compileForEmulator(func, options);
  if (!object)
    return object.takeError();
  auto hash = llvm::SHA256::hash(llvm::arrayRefFromStringRef(ptx));
  return OutputFile{"object", llvm::toHex(hash, /*LowerCase=*/true) + ".o",
                    std::move(*object)};
}
