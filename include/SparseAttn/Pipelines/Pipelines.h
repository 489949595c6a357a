//===- Pipelines.h - From attention to machine code -------------*- C++ -*-===//

#ifndef SPARSEATTN_PIPELINES_PIPELINES_H
#define SPARSEATTN_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassOptions.h"

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace mlir::sparse_attn {

/// Options of --sparse-attn-cpu-pipeline.
struct CPUPipelineOptions : PassPipelineOptions<CPUPipelineOptions> {
  Option<int64_t> tileQueries{
      *this, "tile-queries",
      llvm::cl::desc("Query rows of a tile; 0 lets the mask analysis choose"),
      llvm::cl::init(0)};
  Option<int64_t> tileKeys{
      *this, "tile-keys",
      llvm::cl::desc("Keys of a tile; 0 lets the mask analysis choose"),
      llvm::cl::init(0)};
  Option<int64_t> heavySplits{
      *this, "heavy-splits",
      llvm::cl::desc("Parts that heavy rows are split into along the keys"),
      llvm::cl::init(8)};
  Option<int64_t> lanes{*this, "lanes",
                        llvm::cl::desc("f32 lanes of a vector register"),
                        llvm::cl::init(16)};
  Option<int64_t> registers{*this, "registers",
                            llvm::cl::desc("Number of vector registers"),
                            llvm::cl::init(32)};
  Option<std::string> target{
      *this, "target",
      llvm::cl::desc("Level of processors (x86-64-v3, ...) whose lanes and "
                     "registers replace those given"),
      llvm::cl::init("")};
  Option<bool> openmp{*this, "openmp",
                      llvm::cl::desc("Run query tiles in OpenMP threads"),
                      llvm::cl::init(true)};
  Option<bool> resultsToArguments{
      *this, "results-to-arguments",
      llvm::cl::desc("Write results into buffers that the caller gives, which "
                     "are arguments after all others"),
      llvm::cl::init(false)};
  Option<bool> anyStrides{
      *this, "any-strides",
      llvm::cl::desc("Take and give tensors whose rows lie anywhere, where "
                     "nothing needs them dense"),
      llvm::cl::init(false)};
  Option<bool> dense{
      *this, "dense",
      llvm::cl::desc("Use the naive dense decomposition (a test oracle)"),
      llvm::cl::init(false)};
  Option<bool> variants{
      *this, "variants",
      llvm::cl::desc("Branch to tiles of several heads where there are few "
                     "query rows, which takes longer to compile"),
      llvm::cl::init(true)};
  Option<bool> trustPlans{
      *this, "trust-plans",
      llvm::cl::desc("Take plans that attention has already for right"),
      llvm::cl::init(false)};
  Option<bool> countProducts{
      *this, "count-products",
      llvm::cl::desc("Call sparse_attn_count_multiply_adds, which whoever runs "
                     "the code defines, before each product of tiles"),
      llvm::cl::init(false)};
};

/// Refuses an option's value that some pass would fail on, before any runs;
/// `error` says why.
LogicalResult
verifyOptions(const CPUPipelineOptions &options,
              llvm::function_ref<LogicalResult(const Twine &)> error);

/// Attention on tensors to the LLVM dialect. Options are to be checked before.
void buildCPUPipeline(OpPassManager &pm, const CPUPipelineOptions &options);

/// The pipeline's first step alone: attention gets its plan.
void buildCPUPlanning(OpPassManager &pm, const CPUPipelineOptions &options);

/// The pipeline up to kernels, functions that a host runs once for each
/// workgroup (--sparse-attn-loops-to-kernels), and the host function that does.
void buildCPUKernels(OpPassManager &pm, const CPUPipelineOptions &options);

/// These kernels, and what they call, to the LLVM dialect: they take bytes and
/// integers. Host functions are erased.
void buildCPUKernelLowering(OpPassManager &pm);

struct NVVMPipelineOptions : PassPipelineOptions<NVVMPipelineOptions> {
  Option<std::string> chip{
      *this, "chip",
      llvm::cl::desc("GPU to make kernels for: sm_80, sm_90, ..."),
      llvm::cl::init("sm_80")};
  Option<int64_t> tileQueries{
      *this, "tile-queries",
      llvm::cl::desc("Query rows of a tile; 0 lets the mask analysis choose"),
      llvm::cl::init(0)};
  Option<int64_t> tileKeys{
      *this, "tile-keys",
      llvm::cl::desc("Keys of a tile; 0 lets the mask analysis choose"),
      llvm::cl::init(0)};
  Option<int64_t> heavySplits{
      *this, "heavy-splits",
      llvm::cl::desc("Parts that heavy rows are split into along the keys"),
      llvm::cl::init(8)};
  Option<int64_t> warps{
      *this, "warps",
      llvm::cl::desc("Warps of a block; 0 lets the tile choose"),
      llvm::cl::init(0)};
  Option<int64_t> stages{
      *this, "stages",
      llvm::cl::desc("Key and value tiles in shared memory at a time"),
      llvm::cl::init(2)};
  Option<std::string> strides{
      *this, "strides",
      llvm::cl::desc("Of the tensors that kernels take: dense, or any, where "
                     "results become arguments of the host function"),
      llvm::cl::init("dense")};
  Option<bool> variants{
      *this, "variants",
      llvm::cl::desc("Branch to faster kernels where the lengths allow some, "
                     "which takes longer to compile"),
      llvm::cl::init(true)};
  Option<bool> fewBlocks{
      *this, "few-blocks",
      llvm::cl::desc(
          "variants: also for launches of few blocks; host code must "
          "know sparse_attn.sm_count then, as packages do"),
      llvm::cl::init(false)};
  Option<std::string> emit{
      *this, "emit",
      llvm::cl::desc("Where to stop: nvvm (kernels in the LLVM and NVVM "
                     "dialects) or ptx (a gpu.binary)"),
      llvm::cl::init("ptx")};
  Option<bool> trustPlans{
      *this, "trust-plans",
      llvm::cl::desc("Take plans that attention has already for right"),
      llvm::cl::init(false)};
};

/// Attention on tensors to kernels, and a host function that
/// launches them by gpu.launch_func. Fails where an option names no chip or no
/// place to stop, as `error` says.
LogicalResult
buildNVVMPipeline(OpPassManager &pm, const NVVMPipelineOptions &options,
                  llvm::function_ref<LogicalResult(const Twine &)> error);

/// The pipeline's first step alone: what no kernel can compute is refused, and
/// attention gets its plan. Fails as the pipeline does.
LogicalResult
buildNVVMPlanning(OpPassManager &pm, const NVVMPipelineOptions &options,
                  llvm::function_ref<LogicalResult(const Twine &)> error);

/// The pipeline up to where it is known which rows of a tile a warp computes
/// and which it leaves out. Fails as the pipeline does.
LogicalResult
buildNVVMBlocks(OpPassManager &pm, const NVVMPipelineOptions &options,
                llvm::function_ref<LogicalResult(const Twine &)> error);

/// Host code around kernels to the LLVM dialect. Its buffers are on the heap,
/// where kernels may access them.
void buildHostPipeline(OpPassManager &pm);

/// Registers every pass and pipeline of the project but the emulator's.
void registerPassesAndPipelines();

/// Registers every dialect and interface the pipelines need, and the
/// translations by which kernels become PTX.
void registerDialects(DialectRegistry &registry);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PIPELINES_PIPELINES_H
