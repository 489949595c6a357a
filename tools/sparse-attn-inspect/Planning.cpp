//===- Planning.cpp - The plans that are inspected ------------------------===//

#include "Planning.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "SparseAttn/Support/Entry.h"
#include "SparseAttn/Support/Error.h"
#include "SparseAttn/Target/Target.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspect_tool;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::support;

llvm::Error inspect_tool::checkTarget(StringRef target) {
  if (target == "cpu" || target == "gpu" || target::findCpu(target) ||
      target::findGpu(target))
    return llvm::Error::success();
  return makeError("unknown --target '{0}'; use cpu or gpu, or one of {1}, {2}",
                   target, target::knownCpus(), target::knownGpus());
}

static SmallVector<AttentionOp> getAttentions(ModuleOp module) {
  SmallVector<AttentionOp> attentions;
  module.walk([&](AttentionOp op) { attentions.push_back(op); });
  return attentions;
}

/// The first step of the pipeline for `target`.
static void addPlanning(OpPassManager &passes, StringRef target) {
  if (target.empty()) {
    passes.addPass(createSparseAttnPlan());
  } else if (target::findGpu(target)) {
    NVVMPipelineOptions options;
    options.chip = target.str();
    // All other options are as they should be.
    (void)buildNVVMPlanning(passes, options,
                            [](const Twine &) { return failure(); });
  } else {
    CPUPipelineOptions options;
    options.target = target.str();
    buildCPUPlanning(passes, options);
  }
}

static llvm::Error runPlanning(ModuleOp module, StringRef target) {
  PassManager passes(module.getContext());
  addPlanning(passes, target);
  if (failed(passes.run(module)))
    return llvm::createStringError("planning failed");
  return llvm::Error::success();
}

static std::string textOf(TileShape tile) {
  return llvm::formatv("{0} x {1}", tile.queries, tile.keys);
}

/// Planned twice, with the plans of the file and without, the attention ops are
/// the same in both, one by one.
static llvm::Error checkAgreement(ModuleOp planned, ModuleOp chosen,
                                  StringRef target) {
  for (auto [given, own] :
       llvm::zip_equal(getAttentions(planned), getAttentions(chosen))) {
    TileShape tile = given.getPlan()->getPlan().tile;
    TileShape wanted = own.getPlan()->getPlan().tile;
    if (tile.queries == wanted.queries && tile.keys == wanted.keys)
      continue;
    return makeError("the attention in @{0} has a plan with tiles of {1}, and "
                     "--target={2} would choose {3}; leave out one of the two",
                     getPath(given->getParentOfType<FunctionOpInterface>()),
                     textOf(tile), target, textOf(wanted));
  }
  return llvm::Error::success();
}

llvm::Error inspect_tool::planAttentions(ModuleOp module, StringRef target) {
  bool isGiven = llvm::any_of(getAttentions(module), [](AttentionOp op) {
    return op.getPlan().has_value();
  });
  if (target.empty() || !isGiven)
    return runPlanning(module, target);
  OwningOpRef<ModuleOp> unplanned = module.clone();
  for (AttentionOp op : getAttentions(*unplanned))
    op.removePlanAttr();
  if (llvm::Error error = runPlanning(module, target))
    return error;
  if (llvm::Error error = runPlanning(*unplanned, target))
    return error;
  return checkAgreement(module, *unplanned, target);
}
