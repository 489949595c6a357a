//===- NVVMPipeline.cpp - --sparse-attn-nvvm-pipeline ---------------------===//

#include "Buffers.h"
#include "OptionCheck.h"
#include "SparseAttn/Boundary/Passes.h"
#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "SparseAttn/Target/Target.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::pipelines;
using namespace mlir::sparse_attn::target;

// Passes that would rewrite anything are nested in functions, or run on our
// kernels alone: those of the user's own stay as they are.

/// Folds what the passes before left. Loops are structured and have no blocks
/// to merge, nor arguments that only blocks know: to look for these takes as
/// long as the rest.
static void addFolding(OpPassManager &functions) {
  GreedyRewriteConfig config;
  config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
  functions.addPass(createCanonicalizerPass(config));
}

/// Attention gets its plan.
static void addPlanning(OpPassManager &pm, const NVVMPipelineOptions &options,
                        const GpuTarget &chip) {
  pm.addPass(createSparseAttnVerifyPlacement());
  SparseAttnVerifyTargetOptions verify;
  verify.target = chip.name.str();
  pm.addNestedPass<func::FuncOp>(createSparseAttnVerifyTarget(verify));
  pm.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  SparseAttnPlanOptions plan;
  plan.tileQueries = options.tileQueries;
  plan.tileKeys = options.tileKeys;
  plan.target = chip.name.str();
  plan.stages = options.stages;
  pm.addPass(createSparseAttnPlan(plan));
  if (!options.variants)
    return;
  SparseAttnSpecializeOptions specialize;
  specialize.tileQueries = options.tileQueries;
  specialize.tileKeys = options.tileKeys;
  specialize.target = chip.name.str();
  specialize.stages = options.stages;
  specialize.packedHeads = true;
  specialize.fewBlocks = options.fewBlocks;
  pm.addPass(createSparseAttnSpecialize(specialize));
}

/// Loops over tiles with online softmax, queries along the rows and
/// operands in the types they come in.
static void addTiling(OpPassManager &pm, const NVVMPipelineOptions &options,
                      const GpuTarget &chip) {
  SparseAttnVisitTilesOptions visit;
  visit.heavySplits = options.heavySplits;
  visit.heavyKeys = chip.heavyKeys;
  visit.valueColumns = chip.halfColumns;
  visit.singleColumns = chip.columns;
  visit.mergeColumns = chip.mergeColumns;
  pm.addPass(createSparseAttnVisitTiles(visit));
  SparseAttnTrustStepsOptions trust;
  trust.trust = "operands";
  pm.addPass(createSparseAttnTrustSteps(trust));
  pm.addPass(createSparseAttnStepsToTiles());
  addFolding(pm.nest<func::FuncOp>());
}

/// Whole tiles as vectors, which the loops over keys carry.
static void addVectorisation(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createSparseAttnVectorizeTiles());
  OpPassManager &functions = pm.nest<func::FuncOp>();
  addFolding(functions);
  // Only one read of what a loop carries is left: the condition of hoisting.
  functions.addPass(createCSEPass());
  // Inner loops first, then what reads through them.
  for (int depth = 0; depth < 2; ++depth) {
    functions.addPass(createLoopInvariantSubsetHoistingPass());
    addFolding(functions);
    functions.addPass(createCSEPass());
  }
}

/// Tensors to buffers: results are written where they belong.
static void addBufferization(OpPassManager &pm,
                             const NVVMPipelineOptions &options) {
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  addTensorsToBuffers(pm);
  if (options.strides == "any")
    pm.addPass(createSparseAttnDynamicStrides());
}

/// Blocks and shared memory, and what each warp of a block computes.
static void addWarps(OpPassManager &pm, const NVVMPipelineOptions &options,
                     const GpuTarget &chip) {
  // Launches of the user's own are done with before there are any of ours.
  pm.addPass(createGpuKernelOutliningPass());
  pm.addNestedPass<func::FuncOp>(createSparseAttnVerifyGpuForm());
  SparseAttnMapToGpuOptions map;
  map.warps = options.warps;
  map.target = chip.name.str();
  pm.addPass(createSparseAttnMapToGpu(map));
  OpPassManager &functions = pm.nest<func::FuncOp>();
  SparseAttnStageOperandsOptions stage;
  stage.stages = options.stages;
  stage.target = chip.name.str();
  functions.addPass(createSparseAttnStageOperands(stage));
  addFolding(functions);
  functions.addPass(createCSEPass());
  functions.addPass(createSparseAttnSkipRows());
}

/// Threads, and kernels of their own.
static void addThreads(OpPassManager &pm, const GpuTarget &chip) {
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(createSparseAttnDistributeFragments());
  SparseAttnCopiesToCpAsyncOptions copies;
  copies.target = chip.name.str();
  functions.addPass(createSparseAttnCopiesToCpAsync(copies));
  functions.addPass(createCSEPass());
  // The lanes' parts of addresses leave the loops.
  functions.addPass(createLoopInvariantCodeMotionPass());
  functions.addPass(createSparseAttnJoinLaunches());
  // Constants have been gathered outside the kernels.
  functions.addPass(createGpuLaunchSinkIndexComputationsPass());
  pm.addPass(createGpuKernelOutliningPass());
  pm.addPass(createSparseAttnBareKernels());
}

/// Addresses to arithmetic, on the host and in kernels.
static void addAddressLowering(OpPassManager &pm) {
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
}

/// Kernels to the LLVM and NVVM dialects, folded where no pass of LLVM is to
/// follow, which does it in less time.
static void addNVVMLowering(OpPassManager &pm, bool fold) {
  addAddressLowering(pm.nest<func::FuncOp>());
  OpPassManager kernels(gpu::GPUModuleOp::getOperationName());
  kernels.addPass(createSparseAttnLowerAddresses());
  kernels.addPass(createSparseAttnExpandDivision());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createSparseAttnApproximateMath());
  kernels.addPass(createSparseAttnKernelsToNVVM());
  kernels.addPass(createSparseAttnExternShared());
  if (fold) {
    kernels.addPass(createCanonicalizerPass());
    kernels.addPass(createCSEPass());
  }
  SparseAttnLowerKernelsOptions lower;
  lower.opPipelines.push_back(std::move(kernels));
  pm.addPass(createSparseAttnLowerKernels(lower));
}

/// Kernels to PTX.
static void addSerialization(OpPassManager &pm, const GpuTarget &chip) {
  SparseAttnKernelsToPtxOptions ptx;
  ptx.chip = chip.name.str();
  ptx.features = chip.features();
  pm.addPass(createSparseAttnKernelsToPtx(ptx));
  pm.addPass(createSparseAttnDropTimings());
}

/// Refuses an option's value that some pass would fail on, before any runs. The
/// chip, where all of them can work.
static FailureOr<const GpuTarget *>
checkOptions(const NVVMPipelineOptions &options,
             function_ref<LogicalResult(const Twine &)> error) {
  OptionCheck check{error};
  const GpuTarget *chip = findGpu(options.chip);
  if (!chip)
    return error("unknown chip '" + options.chip + "'; kernels are made for " +
                 knownGpus());
  if (options.emit != "ptx" && options.emit != "nvvm")
    return error("unknown emit '" + options.emit + "'; use nvvm or ptx");
  if (options.strides != "dense" && options.strides != "any")
    return error("unknown strides '" + options.strides + "'; use dense or any");
  if (failed(check.requireGpuTile(options.tileQueries)) ||
      failed(check.requireGpuTile(options.tileKeys)) ||
      failed(check.require(options.heavySplits >= 1, options.heavySplits,
                           "at least 1")) ||
      failed(check.require(
          options.stages >= 2, options.stages,
          "at least 2, for one is filled while another is read")) ||
      failed(check.require(
          options.warps >= 0 && options.warps <= kMaxWarps, options.warps,
          "from 1 to " + Twine(kMaxWarps) + ", or 0 to have it chosen")))
    return failure();
  return chip;
}

/// Adds what `add` does for the chip, or fails where the options are wrong.
static LogicalResult build(const NVVMPipelineOptions &options,
                           function_ref<LogicalResult(const Twine &)> error,
                           function_ref<void(const GpuTarget &)> add) {
  FailureOr<const GpuTarget *> chip = checkOptions(options, error);
  if (failed(chip))
    return failure();
  add(**chip);
  return success();
}

/// Up to what each warp computes.
static void addBlocks(OpPassManager &pm, const NVVMPipelineOptions &options,
                      const GpuTarget &chip) {
  addPlanning(pm, options, chip);
  addTiling(pm, options, chip);
  addVectorisation(pm);
  addBufferization(pm, options);
  addWarps(pm, options, chip);
}

LogicalResult mlir::sparse_attn::buildNVVMPlanning(
    OpPassManager &pm, const NVVMPipelineOptions &options,
    function_ref<LogicalResult(const Twine &)> error) {
  return build(options, error,
               [&](const GpuTarget &chip) { addPlanning(pm, options, chip); });
}

LogicalResult mlir::sparse_attn::buildNVVMBlocks(
    OpPassManager &pm, const NVVMPipelineOptions &options,
    function_ref<LogicalResult(const Twine &)> error) {
  return build(options, error,
               [&](const GpuTarget &chip) { addBlocks(pm, options, chip); });
}

LogicalResult mlir::sparse_attn::buildNVVMPipeline(
    OpPassManager &pm, const NVVMPipelineOptions &options,
    function_ref<LogicalResult(const Twine &)> error) {
  return build(options, error, [&](const GpuTarget &chip) {
    if (!options.trustPlans)
      pm.addPass(createSparseAttnVerifyPlan());
    addBlocks(pm, options, chip);
    addThreads(pm, chip);
    bool toPtx = options.emit == "ptx";
    addNVVMLowering(pm, /*fold=*/!toPtx);
    if (toPtx)
      addSerialization(pm, chip);
  });
}
