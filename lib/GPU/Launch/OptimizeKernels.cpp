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
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Scalar/Scalarizer.h"

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
    "slp-vectorizer", "sparse-attn-take-pairs-apart", "vector-combine",
    "loop-unroll<O3>", kCombine, "instsimplify", "tailcallelim",
    "simplifycfg<switch-range-to-icmp;keep-loops;speculate-unpredictables>"};

/// How many f32 numbers a loop carries.
static int64_t countCarried(const llvm::Loop &loop) {
  int64_t count = 0;
  for (const llvm::PHINode &phi : loop.getHeader()->phis())
    if (phi.getType()->getScalarType()->isFloatTy()) {
      auto *vector = llvm::dyn_cast<llvm::FixedVectorType>(phi.getType());
      count += vector ? vector->getNumElements() : 1;
    }
  return count;
}

namespace {
/// Makes scalars of vectors in kernels that are to have no pairs.
class TakePairsApart : public llvm::PassInfoMixin<TakePairsApart> {
public:
  explicit TakePairsApart(int64_t most) : most(most) {}

  llvm::PreservedAnalyses run(llvm::Function &function,
                              llvm::FunctionAnalysisManager &analyses) {
    auto &loops = analyses.getResult<llvm::LoopAnalysis>(function);
    if (llvm::all_of(loops.getLoopsInPreorder(), [&](const llvm::Loop *loop) {
          return countCarried(*loop) <= most;
        }))
      return llvm::PreservedAnalyses::all();
    return llvm::ScalarizerPass().run(function, analyses);
  }

private:
  int64_t most;
};
} // namespace

void kernels::optimizeKernels(llvm::Module &module,
                              llvm::TargetMachine &machine,
                              int64_t mostPaired) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager calls;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerPipelineParsingCallback(
      [&](llvm::StringRef name, llvm::FunctionPassManager &passes,
          llvm::ArrayRef<llvm::PassBuilder::PipelineElement>) {
        if (name != "sparse-attn-take-pairs-apart")
          return false;
        passes.addPass(TakePairsApart(mostPaired));
        return true;
      });
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
