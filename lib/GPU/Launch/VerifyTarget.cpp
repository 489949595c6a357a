//===- VerifyTarget.cpp - --sparse-attn-verify-target ---------------------===//

#include "RequireGpu.h"
#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "llvm/ADT/StringExtras.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNVERIFYTARGET
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

using kernels::requireGpu;

static LogicalResult verifyHeadSize(Operation *op, StringRef what, int64_t size,
                                    int64_t elementBytes,
                                    const target::GpuTarget &gpu) {
  int64_t step = gpu.productDepth;
  bool isHalf = elementBytes <= 2;
  int64_t most = isHalf ? gpu.maxHalfHeadSize : gpu.maxHeadSize;
  if (size % step == 0 && size >= step && size <= most)
    return success();
  InFlightDiagnostic error = op->emitOpError("has a head size of ")
                             << size << " for its " << what
                             << "; kernels for GPUs need a multiple of " << step
                             << " up to " << most;
  if (size <= most)
    return error << ": pad it with zeros, and keep the scale";
  if (isHalf && what == "value")
    return error << ": give each slice of the values' columns an attention of "
                    "its own";
  if (isHalf)
    return error << ", as tiles of longer rows do not fit shared memory: "
                    "compute this attention on the CPU";
  return error
         << " in f32: convert queries, keys and values to f16 or bf16, of "
            "which they take up to "
         << gpu.maxHalfHeadSize;
}

/// A warp has 16 rows of a tile, wherever they stand.
static LogicalResult verifyRowLayouts(MaskedReductionOpInterface op) {
  constexpr int64_t granule = 16;
  if (!op.getPlan())
    return success();
  for (const plan::RowClass &cls : op.getPlan()->getPlan().classes)
    if (!cls.layout.isContiguous() && cls.layout.tile % granule != 0)
      return op->emitOpError("has a plan with rows of a layout in tiles of ")
             << cls.layout.tile << "; kernels for GPUs take a multiple of "
             << granule << " rows: make the tile of the layout one, or leave "
             << "the plan out to have one made";
  return success();
}

static bool isIdentifier(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name, [](char c) {
           return llvm::isAlnum(c) || c == '_' || c == '$';
         });
}

/// Upstream numbers its arrays of shared memory as we number kernels:
/// __dynamic_shmem__0.
static constexpr StringRef kSharedName = "__dynamic_shmem_";

static LogicalResult verifyName(func::FuncOp func) {
  if (!isIdentifier(func.getName()))
    return func.emitOpError(
        "has a name that kernels cannot have; use letters, digits, '_' and "
        "'$' only, and no digit first");
  if (func.getName() == kSharedName)
    return func.emitOpError("has the name that shared memory has in PTX; "
                            "choose another");
  return success();
}

namespace {
struct VerifyTargetPass
    : sparse_attn::impl::SparseAttnVerifyTargetBase<VerifyTargetPass> {
  using Base::Base;

  void runOnOperation() override {
    const target::GpuTarget *gpu = requireGpu(getOperation(), target);
    if (!gpu)
      return signalPassFailure();
    bool sound = true;
    bool hasAttention = false;
    getOperation().walk([&](MaskedReductionOpInterface op) {
      hasAttention = true;
      sound &= succeeded(verifyRowLayouts(op));
      TileNeeds needs = op.getTileNeeds();
      sound &= succeeded(verifyHeadSize(op, "query", needs.headDim,
                                        needs.elementBytes, *gpu)) &&
               succeeded(verifyHeadSize(op, "value", needs.valueDim,
                                        needs.elementBytes, *gpu));
    });
    if (hasAttention)
      sound &= succeeded(verifyName(getOperation()));
    if (!sound)
      signalPassFailure();
    else
      markAllAnalysesPreserved();
  }
};
} // namespace
