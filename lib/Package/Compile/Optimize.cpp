//===- Optimize.cpp - LLVM's passes over host code ------------------------===//

#include "SparseAttn/Package/Compile/Optimize.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/LoopUnrollPass.h"
#include "llvm/Transforms/Scalar/SROA.h"

using namespace mlir::sparse_attn;

/// Unrolls loops of known length. All other passes run before, so they never
/// see the copies.
static void unrollLate(llvm::ModulePassManager &passes,
                       llvm::OptimizationLevel level,
                       llvm::ThinOrFullLTOPhase) {
  llvm::LoopUnrollOptions known(level.getSpeedupLevel());
  known.setPartial(true).setRuntime(false).setUpperBound(false);
  llvm::FunctionPassManager functions;
  functions.addPass(llvm::LoopUnrollPass(known.setPeeling(false)));
  functions.addPass(llvm::SROAPass(llvm::SROAOptions::PreserveCFG));
  functions.addPass(llvm::InstCombinePass());
  functions.addPass(llvm::createFunctionToLoopPassAdaptor(
      llvm::LICMPass(llvm::LICMOptions()), /*UseMemorySSA=*/true));
  passes.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(functions)));
}

void package::optimizeHostCode(llvm::Module &module,
                               llvm::TargetMachine &target) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = false;
  tuning.LoopInterleaving = true;
  tuning.LoopVectorization = true;
  tuning.SLPVectorization = true;
  llvm::PassBuilder passes(&target, tuning);
  passes.registerOptimizerLastEPCallback(unrollLate);
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(components);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, components, modules);
  passes.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3)
      .run(module, modules);
}
