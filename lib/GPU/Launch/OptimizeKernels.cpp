//===- OptimizeKernels.cpp - LLVM's passes for kernels --------------------===//
//
// Kernels are a few loops of thousands of instructions without a branch, a call
// or a local variable. Passes that look for these find nothing and take as long
// as those that do: -O3 runs InstCombine eight times. What is left here are the
// passes of -O3 that change kernels, in its order, each as often as it matters.
//
//===----------------------------------------------------------------------===//

#include "Launch/OptimizeKernels.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using llvm::StringLiteral;
using namespace mlir::sparse_attn;

static constexpr StringLiteral kSimplify =
    "simplifycfg<switch-range-to-icmp;keep-loops>";
static constexpr StringLiteral kSink = "simplifycfg<switch-range-to-icmp;keep-"
                                       "loops;hoist-common-insts;sink-common-"
                                       "insts>";
static constexpr StringLiteral kCombine = "instcombine<no-verify-fixpoint>";

/// What lowering leaves: blocks that can merge, equal values.
static constexpr StringLiteral kTidy[] = {kSimplify, "early-cse<memssa>"};

static constexpr StringLiteral kImprove[] = {
    kCombine, kSimplify, "early-cse<memssa>",
    "speculative-execution<only-if-divergent-target>", "correlated-propagation",
    kSimplify, "aggressive-instcombine", "tailcallelim", "reassociate",
    // Loops over key tiles: a test before the first turn, and there what does
    // not vary.
    "loop-mssa(licm<no-allowspeculation>,loop-rotate,licm<allowspeculation>)",
    kSimplify, kCombine, "loop(indvars,loop-deletion)",
    // Values that are equal along all paths, and what follows from it.
    "gvn<>", "sccp", "bdce", kCombine, "correlated-propagation", "adce",
    "loop-mssa(licm<allowspeculation>)", kSink, "loop(loop-rotate)", kSink,
    // What code generation takes over.
    "slp-vectorizer", "vector-combine", "loop-unroll<O3>", kCombine,
    "instsimplify", "tailcallelim",
    "simplifycfg<switch-range-to-icmp;keep-loops;speculate-unpredictables>"};

void kernels::optimizeKernels(llvm::Module &module,
                              llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager calls;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(calls);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, calls, modules);
  auto all = [](llvm::ArrayRef<StringLiteral> passes) {
    return "function<eager-inv>(" +
           llvm::join(passes.begin(), passes.end(), ",") + ")";
  };
  std::string text = "function(nvvm-intr-range),inferattrs," + all(kTidy) +
                     ",ipsccp," + all(kImprove);
  llvm::ModulePassManager passes;
  // LLVM knows the passes above, whatever the kernels.
  llvm::cantFail(builder.parsePassPipeline(passes, text));
  passes.run(module, modules);
}
