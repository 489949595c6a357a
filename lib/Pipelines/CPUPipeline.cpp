//===- CPUPipeline.cpp - --sparse-attn-cpu-pipeline -----------------------===//

#include "Buffers.h"
#include "OptionCheck.h"
#include "SparseAttn/Boundary/Passes.h"
#include "SparseAttn/CPU/Passes.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "SparseAttn/Target/Target.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/Transforms/RequestCWrappers.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::pipelines;

LogicalResult mlir::sparse_attn::verifyOptions(
    const CPUPipelineOptions &options,
    function_ref<LogicalResult(const Twine &)> error) {
  OptionCheck check{error};
  if (failed(check.requireTile(options.tileQueries)) ||
      failed(check.requireTile(options.tileKeys)) ||
      failed(check.require(options.heavySplits >= 1, options.heavySplits,
                           "at least 1")) ||
      failed(check.require(options.lanes >= 1, options.lanes, "at least 1")) ||
      failed(check.require(options.registers >= 4, options.registers,
                           "at least 4")))
    return failure();
  if (!options.target.empty() && !target::findCpu(options.target))
    return error("unknown target '" + options.target + "'; code is made for " +
                 target::knownCpus());
  return success();
}

/// Attention gets its plan.
void mlir::sparse_attn::buildCPUPlanning(OpPassManager &pm,
                                         const CPUPipelineOptions &options) {
  pm.addPass(createSparseAttnVerifyPlacement());
  pm.addPass(createCanonicalizerPass());
  SparseAttnPlanOptions plan;
  plan.tileQueries = options.tileQueries;
  plan.tileKeys = options.tileKeys;
  if (!options.target.empty())
    plan.target = options.target;
  pm.addPass(createSparseAttnPlan(plan));
}

/// Attention gets another plan beside it, for few query rows.
static void addSpecialization(OpPassManager &pm,
                              const CPUPipelineOptions &options) {
  SparseAttnSpecializeOptions specialize;
  specialize.tileQueries = options.tileQueries;
  specialize.tileKeys = options.tileKeys;
  if (!options.target.empty())
    specialize.target = options.target;
  specialize.lengths = false;
  specialize.packedHeads = true;
  pm.addPass(createSparseAttnSpecialize(specialize));
}

/// Attention to loops over tiles, and their steps to linalg on tiles.
static void addTiling(OpPassManager &pm, const CPUPipelineOptions &options) {
  if (options.dense) {
    pm.addPass(createSparseAttnVerifyPlacement());
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createSparseAttnToDenseLinalg());
    return;
  }
  if (!options.trustPlans)
    pm.addPass(createSparseAttnVerifyPlan());
  buildCPUPlanning(pm, options);
  if (options.variants)
    addSpecialization(pm, options);
  SparseAttnVisitTilesOptions visit;
  visit.heavySplits = options.heavySplits;
  pm.addPass(createSparseAttnVisitTiles(visit));
  // Plans for GPUs are right here, too.
  pm.addPass(createSparseAttnSetSmCount());
  SparseAttnTrustStepsOptions trust;
  trust.trust = "sums";
  pm.addPass(createSparseAttnTrustSteps(trust));
  pm.addPass(createSparseAttnStepsToLanes());
  if (options.countProducts)
    pm.addPass(createSparseAttnCountProducts());
}

/// Linalg on tiles to vectors in registers, without calls of the C library
/// where there is none.
static void addVectorisation(OpPassManager &pm,
                             const CPUPipelineOptions &options,
                             bool hasLibrary) {
  // No CSE yet: it would make tiles that are written in place share one start
  // value, and so copy it.
  pm.addPass(createCanonicalizerPass());
  if (!options.dense) {
    SparseAttnTileRegistersOptions registers;
    registers.lanes = options.lanes;
    registers.registers = options.registers;
    registers.target = options.target;
    pm.addNestedPass<func::FuncOp>(createSparseAttnTileRegisters(registers));
    pm.addPass(createCanonicalizerPass());
  }
  SparseAttnExpandMathOptions math;
  math.logarithms = !hasLibrary;
  pm.addPass(createSparseAttnExpandMath(math));
}

/// Tensors to buffers, those of the function's boundary as its callers want
/// them.
static void addBoundary(OpPassManager &pm, const CPUPipelineOptions &options) {
  addTensorsToBuffers(pm);
  if (options.anyStrides)
    pm.addPass(createSparseAttnDynamicStrides());
  if (options.resultsToArguments)
    pm.addPass(createSparseAttnResultsToArguments());
}

/// Where buffers are. Tiles of known size live on the thread's stack, so no
/// loop allocates; what remains (results, run-time tables) is freed.
static void addBufferization(OpPassManager &pm, bool tilesOnStack) {
  pm.addNestedPass<func::FuncOp>(createForallToParallelLoopPass());
  pm.addNestedPass<func::FuncOp>(bufferization::createBufferHoistingPass());
  pm.addNestedPass<func::FuncOp>(bufferization::createBufferLoopHoistingPass());
  if (tilesOnStack) {
    bufferization::PromoteBuffersToStackPassOptions stack;
    stack.maxAllocSizeInBytes = 1 << 18;
    pm.addNestedPass<func::FuncOp>(
        bufferization::createPromoteBuffersToStackPass(stack));
  }
  bufferization::buildBufferDeallocationPipeline(
      pm, bufferization::BufferDeallocationPipelineOptions());
  pm.addPass(createConvertBufferizationToMemRefPass());
}

/// Buffers and vectors to the LLVM dialect. Descriptors are passed by address
/// too, where C is to call.
static void addLLVMLowering(OpPassManager &pm, bool openmp, bool forC) {
  pm.addPass(createSparseAttnExpandCopies());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  if (openmp)
    pm.addPass(createConvertSCFToOpenMPPass());
  pm.addPass(createConvertVectorToSCFPass());
  // After vectors have taken their own stack buffers.
  pm.addPass(createSparseAttnThreadBuffers());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  arith::ArithExpandOpsPassOptions expand;
  // Processors without an instruction for it would call a library, and that
  // instruction takes subnormal numbers for 0.
  expand.includeBf16 = true;
  pm.addPass(arith::createArithExpandOpsPass(expand));
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  if (forC)
    pm.addNestedPass<func::FuncOp>(LLVM::createLLVMRequestCWrappersPass());
  ConvertVectorToLLVMPassOptions vectorToLLVM;
  pm.addPass(createConvertVectorToLLVMPass(vectorToLLVM));
  ConvertMathToLLVMPassOptions mathToLLVM;
  pm.addPass(createConvertMathToLLVMPass(mathToLLVM));
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertOpenMPToLLVMPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
}

/// All that comes before the LLVM dialect.
static void addLoops(OpPassManager &pm, const CPUPipelineOptions &options,
                     bool hasLibrary) {
  addTiling(pm, options);
  addVectorisation(pm, options, hasLibrary);
  addBoundary(pm, options);
  addBufferization(pm, /*tilesOnStack=*/true);
}

void mlir::sparse_attn::buildCPUPipeline(OpPassManager &pm,
                                         const CPUPipelineOptions &options) {
  addLoops(pm, options, /*hasLibrary=*/true);
  addLLVMLowering(pm, options.openmp, /*forC=*/true);
}

void mlir::sparse_attn::buildCPUKernels(OpPassManager &pm,
                                        const CPUPipelineOptions &options) {
  addLoops(pm, options, /*hasLibrary=*/false);
  pm.addPass(createSparseAttnLoopsToKernels());
  pm.addPass(createCanonicalizerPass());
}

void mlir::sparse_attn::buildCPUKernelLowering(OpPassManager &pm) {
  pm.addPass(createSparseAttnByteKernels());
  addLLVMLowering(pm, /*openmp=*/false, /*forC=*/false);
}

void mlir::sparse_attn::buildHostPipeline(OpPassManager &pm) {
  addTensorsToBuffers(pm);
  addBufferization(pm, /*tilesOnStack=*/false);
  addLLVMLowering(pm, /*openmp=*/false, /*forC=*/true);
}
