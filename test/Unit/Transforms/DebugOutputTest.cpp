//===- DebugOutputTest.cpp - What passes say of their decisions -----------===//
//
// Passes print what they decide by LDBG(), which costs nothing in a build
// without assertions. LLVM's --debug-only, where there is one, chooses by the
// passes' flags; here the test does.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Debug.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {

constexpr const char *kModule = R"mlir(
!t = tensor<1x2x256x64xf16>
func.func @f(%q: !t, %k: !t, %v: !t, %init: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.longformer<window = 64, global_tokens = [0]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}
)mlir";

/// What is printed to stderr while the passes run.
std::string run(const char *pass, llvm::function_ref<void(PassManager &)> add) {
  DialectRegistry registry;
  registry.insert<SparseAttnDialect, func::FuncDialect>();
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(kModule, &context);
  PassManager pm(&context);
  add(pm);
#ifndef NDEBUG // where it is a macro
  llvm::setCurrentDebugType(pass);
#endif
  llvm::DebugFlag = true;
  testing::internal::CaptureStderr();
  EXPECT_TRUE(succeeded(pm.run(*module)));
  llvm::DebugFlag = false;
  return testing::internal::GetCapturedStderr();
}

void expectSaid(const std::string &output, const char *text) {
#ifdef NDEBUG
  EXPECT_EQ(output, "") << "a build without assertions says nothing";
#else
  EXPECT_NE(output.find(text), std::string::npos) << "says\n"
                                                  << output << "without\n"
                                                  << text;
#endif
}

TEST(DebugOutput, PlanSaysWhatChoosesTheTileAndWhatThePlanIs) {
  std::string output = run("sparse-attn-plan", [](PassManager &pm) {
    pm.addPass(createSparseAttnPlan());
  });
  expectSaid(output, "narrow windows, blocks of 0");
  expectSaid(output, "16 x 16 for heads of 64, 4 bytes an element");
  expectSaid(output, "#sparse_attn.longformer<window = 64, global_tokens = "
                     "[0]> has the plan");
  expectSaid(output, "partial max(1, q - 2) to max(1, q - 1)");
}

TEST(DebugOutput, PlanSaysWhatDoesNotFitSharedMemory) {
  std::string output = run("sparse-attn-plan", [](PassManager &pm) {
    SparseAttnPlanOptions options;
    options.target = "gpu";
    options.sharedLimit = 32 * 1024;
    pm.addPass(createSparseAttnPlan(options));
  });
  expectSaid(output, "128 x 64 for heads of 64, 2 bytes an element, shared "
                     "memory of 32768 bytes");
  // 2 stages of 64 keys and values and 128 queries, of 128 bytes each.
  expectSaid(output, "128 x 64 takes 49152 bytes of shared memory");
}

TEST(DebugOutput, VisitsSayHowRowsAreSplit) {
  std::string output = run("sparse-attn-visit-tiles", [](PassManager &pm) {
    pm.addPass(createSparseAttnPlan());
    pm.addPass(createSparseAttnVisitTiles());
  });
  expectSaid(output, "rows 0 to 256 in tiles of 16 and 1 parts");
  expectSaid(output, "rows 0 to 1 in tiles of 16 and 16 parts");
}

TEST(DebugOutput, TrustSaysWhereNothingRunsTwice) {
  std::string output = run("sparse-attn-trust-steps", [](PassManager &pm) {
    pm.addPass(createSparseAttnPlan());
    pm.addPass(createSparseAttnVisitTiles());
    SparseAttnTrustStepsOptions options;
    options.trust = "sums";
    pm.addPass(createSparseAttnTrustSteps(options));
  });
  expectSaid(output, "no sum of f16 values is too large");
}

} // namespace
