//===- Presets.cpp - Published patterns as compositions -------------------===//
//
// Each preset prints as itself; value and length checks are those
// of its expansion.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/IR/SparseAttn.h"

using namespace mlir;
using namespace mlir::sparse_attn;

using ErrorEmitter = llvm::function_ref<InFlightDiagnostic()>;

static SlidingWindowAttr window(MLIRContext *context, int64_t left,
                                int64_t right, int64_t block = 1) {
  return SlidingWindowAttr::get(context, WindowExtent{left},
                                WindowExtent{right}, /*dilation=*/1, block);
}

static MaskAttrInterface anyOf(MLIRContext *context,
                               ArrayRef<MaskAttrInterface> members) {
  return UnionAttr::get(context, members);
}

static MaskAttrInterface allOf(MLIRContext *context,
                               ArrayRef<MaskAttrInterface> members) {
  return IntersectionAttr::get(context, members);
}

static LogicalResult verifyAtLeast(ErrorEmitter emitError, StringRef name,
                                   int64_t value, int64_t least) {
  if (value >= least)
    return success();
  return emitError() << "'" << name << "' must be at least " << least
                     << ", got " << value;
}

/// Value and length checks of a preset: those of its expansion.
#define SPARSE_ATTN_PRESET_METHODS(ATTR)                                       \
  Mask ATTR::getMask(std::optional<int64_t> nk) const {                        \
    return expand(nk).getMask(nk);                                             \
  }                                                                            \
  LogicalResult ATTR::verifyLengths(ErrorEmitter emitError,                    \
                                    std::optional<int64_t> nq,                 \
                                    std::optional<int64_t> nk) const {         \
    return expand(nk).verifyLengths(emitError, nq, nk);                        \
  }
SPARSE_ATTN_PRESET_METHODS(LongformerAttr)
SPARSE_ATTN_PRESET_METHODS(BigBirdAttr)
SPARSE_ATTN_PRESET_METHODS(PrefixLMAttr)
SPARSE_ATTN_PRESET_METHODS(StreamingAttr)
SPARSE_ATTN_PRESET_METHODS(SparseTransformerStridedAttr)
SPARSE_ATTN_PRESET_METHODS(SparseTransformerFixedAttr)
#undef SPARSE_ATTN_PRESET_METHODS

MaskAttrInterface LongformerAttr::expand(std::optional<int64_t>) const {
  MLIRContext *context = getContext();
  auto local = window(context, getWindow() / 2, getWindow() / 2);
  if (getGlobalTokens().empty())
    return local;
  return anyOf(context, {local, GlobalAttr::get(context, getGlobalTokens(), 0,
                                                0, 0, /*listed=*/false,
                                                GlobalDirection::both)});
}

LogicalResult LongformerAttr::verify(ErrorEmitter emitError, int64_t window,
                                     ArrayRef<int64_t>) {
  if (failed(verifyAtLeast(emitError, "window", window, 0)))
    return failure();
  if (window % 2 != 0)
    return emitError() << "'window' is the whole width, half to each side, and "
                          "must be even, got "
                       << window;
  return success();
}

MaskAttrInterface BigBirdAttr::expand(std::optional<int64_t> nk) const {
  MLIRContext *context = getContext();
  int64_t radius = (getWindowBlocks() - 1) / 2, block = getBlock();
  // The last block may be ragged: its size is N - b * floor((N - 1) / b), a
  // number where N is known and a mask of its own where it is not.
  int64_t first = block, last = 0;
  if (nk) {
    first = std::min(block, *nk);
    last = *nk - (*nk - 1) / block * block;
  }
  SmallVector<MaskAttrInterface> members = {
      window(context, radius, radius, block),
      GlobalAttr::get(context, {}, first, last, nk ? 0 : block,
                      /*listed=*/false, GlobalDirection::both)};
  if (getRandomBlocks() > 0)
    members.push_back(RandomAttr::get(context, block, getRandomBlocks(),
                                      getSeed(), /*per_head=*/true, radius));
  return anyOf(context, members);
}

LogicalResult BigBirdAttr::verify(ErrorEmitter emitError, int64_t block,
                                  int64_t windowBlocks, int64_t randomBlocks,
                                  uint64_t) {
  if (failed(verifyAtLeast(emitError, "block", block, 1)) ||
      failed(verifyAtLeast(emitError, "window_blocks", windowBlocks, 1)) ||
      failed(verifyAtLeast(emitError, "random_blocks", randomBlocks, 0)))
    return failure();
  if (windowBlocks % 2 == 0)
    return emitError() << "'window_blocks' counts the row's own block and as "
                          "many on each side, and must be odd, got "
                       << windowBlocks;
  if (randomBlocks == 0)
    return success();
  if (randomBlocks > kMaxBlocksPerRow)
    return emitError() << "'random_blocks' must be at most " << kMaxBlocksPerRow
                       << ", got " << randomBlocks
                       << ": code grows with it; draw fewer or larger blocks";
  if (windowBlocks > 2 * kMaxBigBirdRadius + 1)
    return emitError() << "'window_blocks' must be at most "
                       << 2 * kMaxBigBirdRadius + 1
                       << " beside random blocks, got " << windowBlocks
                       << ": code grows with it; use larger blocks";
  return success();
}

MaskAttrInterface PrefixLMAttr::expand(std::optional<int64_t>) const {
  MLIRContext *context = getContext();
  return anyOf(context, {CausalAttr::get(context),
                         PrefixAttr::get(context, getLength())});
}

LogicalResult PrefixLMAttr::verify(ErrorEmitter emitError, int64_t length) {
  return verifyAtLeast(emitError, "length", length, 1);
}

MaskAttrInterface StreamingAttr::expand(std::optional<int64_t>) const {
  MLIRContext *context = getContext();
  auto recent = window(context, getWindow() - 1, 0);
  if (getSinks() == 0)
    return recent;
  return allOf(context, {CausalAttr::get(context),
                         anyOf(context, {PrefixAttr::get(context, getSinks()),
                                         recent})});
}

LogicalResult StreamingAttr::verify(ErrorEmitter emitError, int64_t sinks,
                                    int64_t window) {
  if (failed(verifyAtLeast(emitError, "sinks", sinks, 0)))
    return failure();
  return verifyAtLeast(emitError, "window", window, 1);
}

MaskAttrInterface
SparseTransformerStridedAttr::expand(std::optional<int64_t>) const {
  MLIRContext *context = getContext();
  return allOf(context,
               {CausalAttr::get(context),
                anyOf(context, {window(context, getStride() - 1, 0),
                                StridedAttr::get(context, getStride())})});
}

LogicalResult SparseTransformerStridedAttr::verify(ErrorEmitter emitError,
                                                   int64_t stride) {
  return verifyAtLeast(emitError, "stride", stride, 1);
}

MaskAttrInterface
SparseTransformerFixedAttr::expand(std::optional<int64_t>) const {
  MLIRContext *context = getContext();
  return allOf(context,
               {CausalAttr::get(context),
                anyOf(context, {ChunkedAttr::get(context, getStride()),
                                PeriodicColumnsAttr::get(context, getStride(),
                                                         getColumns())})});
}

LogicalResult SparseTransformerFixedAttr::verify(ErrorEmitter emitError,
                                                 int64_t stride,
                                                 int64_t columns) {
  if (failed(verifyAtLeast(emitError, "stride", stride, 1)) ||
      failed(verifyAtLeast(emitError, "columns", columns, 1)))
    return failure();
  if (columns > stride)
    return emitError() << "'columns' must be at most the stride, got "
                       << columns << " of " << stride;
  return success();
}
