//===- WarpRows.cpp - Rows that warps compute apart -----------------------===//

#include "WarpRows.h"
#include "SparseAttn/GPU/IR/SparseAttnGPU.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "SparseAttn/Target/Target.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspect_tool;

static constexpr int64_t kWarpSize = 32;

static SmallVector<AttentionOp> getAttentions(ModuleOp module) {
  SmallVector<AttentionOp> attentions;
  module.walk([&](AttentionOp op) { attentions.push_back(op); });
  return attentions;
}

/// What an op becomes keeps its place, by which it is told from others.
static Location numbered(AttentionOp op, unsigned number) {
  return NameLoc::get(
      StringAttr::get(op.getContext(), "attention " + Twine(number)));
}

static llvm::Error lowerToBlocks(ModuleOp module, StringRef chip) {
  NVVMPipelineOptions options;
  options.chip = chip.str();
  options.variants = false;
  std::string problem;
  ScopedDiagnosticHandler handler(
      module.getContext(), [&](Diagnostic &diagnostic) {
        if (problem.empty() &&
            diagnostic.getSeverity() == DiagnosticSeverity::Error)
          problem = diagnostic.str();
      });
  auto refuse = [&](const Twine &why) {
    problem = why.str();
    return failure();
  };
  PassManager passes(module.getContext());
  if (failed(buildNVVMBlocks(passes, options, refuse)) ||
      failed(passes.run(module)))
    return llvm::createStringError(problem);
  return llvm::Error::success();
}

llvm::Expected<WarpRowsByOp> inspect_tool::findWarpRows(ModuleOp planned,
                                                        StringRef target) {
  WarpRowsByOp found;
  const target::GpuTarget *gpu = target::findGpu(target);
  if (!gpu || gpu->rings.mbarrierAccumulators == 0)
    return found;
  OwningOpRef<ModuleOp> module = planned.clone();
  llvm::DenseMap<Location, Operation *> ops;
  for (auto [op, clone] :
       llvm::zip_equal(getAttentions(planned), getAttentions(*module))) {
    Location place = numbered(clone, ops.size());
    clone->setLoc(place);
    ops[place] = op;
  }
  if (llvm::Error error = lowerToBlocks(*module, target))
    return std::move(error);
  module->walk([&](kernels::HasRowsOp has) {
    auto launch = has->getParentOfType<gpu::LaunchOp>();
    std::optional<int64_t> threads =
        getConstantIntValue(launch.getBlockSizeX());
    if (Operation *op = ops.lookup(has.getLoc()); op && threads)
      found[op][has.getRows()] = has.getRows() / (*threads / kWarpSize);
  });
  return found;
}
