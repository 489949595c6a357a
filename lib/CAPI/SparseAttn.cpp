//===- SparseAttn.cpp - The compiler from C -------------------------------===//

#include "SparseAttn-c/SparseAttn.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/CAPI/IR.h"
#include "mlir/CAPI/Registration.h"

using namespace mlir;
using namespace mlir::sparse_attn;

MLIR_DEFINE_CAPI_DIALECT_REGISTRATION(SparseAttn, sparse_attn,
                                      mlir::sparse_attn::SparseAttnDialect)

void sparseAttnRegisterDialects(MlirDialectRegistry registry) {
  registerDialects(*unwrap(registry));
}

void sparseAttnRegisterPassesAndPipelines(void) {
  registerPassesAndPipelines();
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

/// Null, with a diagnostic, where the attribute's verifier refuses it.
template <typename Attr, typename... Args>
static MlirAttribute getMask(MlirContext context, Args &&...args) {
  MLIRContext *unwrapped = unwrap(context);
  unwrapped->getOrLoadDialect<SparseAttnDialect>();
  auto emitError = [&] {
    return mlir::emitError(UnknownLoc::get(unwrapped))
           << Attr::getMnemonic() << ": ";
  };
  return wrap(Attribute(
      Attr::getChecked(emitError, unwrapped, std::forward<Args>(args)...)));
}

/// Null, with a diagnostic, where it is none; `what` is its place.
static MaskAttrInterface asMask(MLIRContext *context, StringRef mnemonic,
                                MlirAttribute attribute, const Twine &what) {
  auto mask = dyn_cast_if_present<MaskAttrInterface>(unwrap(attribute));
  if (!mask)
    mlir::emitError(UnknownLoc::get(context))
        << mnemonic << ": " << what << " is no mask";
  return mask;
}

template <typename Attr>
static MlirAttribute getCombination(MlirContext context, intptr_t numMembers,
                                    const MlirAttribute *members) {
  SmallVector<MaskAttrInterface> masks;
  for (MlirAttribute member : ArrayRef(members, numMembers)) {
    masks.push_back(asMask(unwrap(context), Attr::getMnemonic(), member,
                           "member " + Twine(masks.size())));
    if (!masks.back())
      return {};
  }
  return getMask<Attr>(context, ArrayRef<MaskAttrInterface>(masks));
}

static WindowExtent getExtent(int64_t extent) {
  if (extent == SPARSE_ATTN_UNBOUNDED)
    return {};
  return {extent};
}

bool sparseAttnAttributeIsAMask(MlirAttribute attribute) {
  return isa_and_present<MaskAttrInterface>(unwrap(attribute));
}

MlirAttribute sparseAttnFullAttrGet(MlirContext context) {
  return getMask<FullAttr>(context);
}

MlirAttribute sparseAttnCausalAttrGet(MlirContext context) {
  return getMask<CausalAttr>(context);
}

MlirAttribute sparseAttnSlidingWindowAttrGet(MlirContext context, int64_t left,
                                             int64_t right, int64_t dilation,
                                             int64_t block) {
  return getMask<SlidingWindowAttr>(context, getExtent(left), getExtent(right),
                                    dilation, block);
}

MlirAttribute sparseAttnGlobalAttrGet(MlirContext context, intptr_t numTokens,
                                      const int64_t *tokens, int64_t first,
                                      int64_t last, int64_t lastBlock,
                                      SparseAttnGlobalDirection direction) {
  return getMask<GlobalAttr>(context, ArrayRef(tokens, numTokens), first, last,
                             lastBlock, /*listed=*/false,
                             static_cast<GlobalDirection>(direction));
}

MlirAttribute
sparseAttnGlobalListedAttrGet(MlirContext context,
                              SparseAttnGlobalDirection direction) {
  int64_t none = 0;
  return getMask<GlobalAttr>(context, ArrayRef<int64_t>(), none, none, none,
                             /*listed=*/true,
                             static_cast<GlobalDirection>(direction));
}

MlirAttribute sparseAttnRandomAttrGet(MlirContext context, int64_t block,
                                      int64_t blocksPerRow, uint64_t seed,
                                      bool perHead) {
  return getMask<RandomAttr>(context, block, blocksPerRow, seed, perHead,
                             /*bigbirdRadius=*/std::optional<int64_t>());
}

MlirAttribute sparseAttnChunkedAttrGet(MlirContext context, int64_t size) {
  return getMask<ChunkedAttr>(context, size);
}

MlirAttribute sparseAttnDocumentAttrGet(MlirContext context) {
  return getMask<DocumentAttr>(context);
}

MlirAttribute sparseAttnStridedAttrGet(MlirContext context, int64_t stride) {
  return getMask<StridedAttr>(context, stride);
}

MlirAttribute sparseAttnPrefixAttrGet(MlirContext context, int64_t length) {
  return getMask<PrefixAttr>(context, length);
}

MlirAttribute sparseAttnPeriodicColumnsAttrGet(MlirContext context,
                                               int64_t period, int64_t last) {
  return getMask<PeriodicColumnsAttr>(context, period, last);
}

MlirAttribute sparseAttnPeriodicRowsAttrGet(MlirContext context, int64_t period,
                                            int64_t last) {
  return getMask<PeriodicRowsAttr>(context, period, last);
}

MlirAttribute sparseAttnUnionAttrGet(MlirContext context, intptr_t numMembers,
                                     const MlirAttribute *members) {
  return getCombination<UnionAttr>(context, numMembers, members);
}

MlirAttribute sparseAttnIntersectionAttrGet(MlirContext context,
                                            intptr_t numMembers,
                                            const MlirAttribute *members) {
  return getCombination<IntersectionAttr>(context, numMembers, members);
}

MlirAttribute sparseAttnComplementAttrGet(MlirContext context,
                                          MlirAttribute operand) {
  MaskAttrInterface mask = asMask(
      unwrap(context), ComplementAttr::getMnemonic(), operand, "the operand");
  return mask ? getMask<ComplementAttr>(context, mask) : MlirAttribute{};
}

MlirAttribute sparseAttnLongformerAttrGet(MlirContext context, int64_t window,
                                          intptr_t numGlobalTokens,
                                          const int64_t *globalTokens) {
  return getMask<LongformerAttr>(context, window,
                                 ArrayRef(globalTokens, numGlobalTokens));
}

MlirAttribute sparseAttnBigBirdAttrGet(MlirContext context, int64_t block,
                                       int64_t windowBlocks,
                                       int64_t randomBlocks, uint64_t seed) {
  return getMask<BigBirdAttr>(context, block, windowBlocks, randomBlocks, seed);
}

MlirAttribute sparseAttnPrefixLMAttrGet(MlirContext context, int64_t length) {
  return getMask<PrefixLMAttr>(context, length);
}

MlirAttribute sparseAttnStreamingAttrGet(MlirContext context, int64_t sinks,
                                         int64_t window) {
  return getMask<StreamingAttr>(context, sinks, window);
}

MlirAttribute sparseAttnSparseTransformerStridedAttrGet(MlirContext context,
                                                        int64_t stride) {
  return getMask<SparseTransformerStridedAttr>(context, stride);
}

MlirAttribute sparseAttnSparseTransformerFixedAttrGet(MlirContext context,
                                                      int64_t stride,
                                                      int64_t columns) {
  return getMask<SparseTransformerFixedAttr>(context, stride, columns);
}

uint64_t sparseAttnMaskCountLivePairs(MlirAttribute mask, int64_t numQueries,
                                      int64_t numKeys, int64_t head) {
  return mask::countLivePairs(
      cast<MaskAttrInterface>(unwrap(mask)).getMask(numKeys),
      {numQueries, numKeys}, head);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

MlirOperation sparseAttnAttentionCreate(MlirLocation location,
                                        MlirAttribute mask, double scale,
                                        MlirValue query, MlirValue key,
                                        MlirValue value, intptr_t numInits,
                                        const MlirValue *inits) {
  Location loc = unwrap(location);
  auto checked = asMask(loc.getContext(), AttentionOp::getOperationName(), mask,
                        "the attribute");
  if (!checked)
    return {};
  OpBuilder b(loc.getContext());
  b.getContext()->getOrLoadDialect<SparseAttnDialect>();
  SmallVector<Value> destinations;
  SmallVector<Type> results;
  for (MlirValue init : ArrayRef(inits, numInits)) {
    destinations.push_back(unwrap(init));
    if (isa<TensorType>(destinations.back().getType()))
      results.push_back(destinations.back().getType());
  }
  FloatAttr scaling = scale == 0 ? FloatAttr() : b.getF64FloatAttr(scale);
  return wrap(AttentionOp::create(b, loc, results, checked, scaling,
                                  /*softcap=*/{}, /*plan=*/{},
                                  /*data_names=*/{}, unwrap(query), unwrap(key),
                                  unwrap(value), /*data=*/{}, /*origin=*/{},
                                  destinations)
                  .getOperation());
}
