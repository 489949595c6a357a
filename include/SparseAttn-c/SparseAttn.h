/*===- SparseAttn.h - The compiler from C -------------------------*- C -*-===

  The dialect, its masks and its pipelines, beside MLIR's own C interface
  (mlir-c/IR.h, mlir-c/Pass.h), which libSparseAttn-c.so brings along.
  docs/StockMLIR.md has an example.

  A mask that cannot be has no attribute: its function says what is wrong to the
  context's diagnostic handlers and returns a null attribute.

===----------------------------------------------------------------------===*/

#ifndef SPARSEATTN_C_SPARSEATTN_H
#define SPARSEATTN_C_SPARSEATTN_H

#include "mlir-c/IR.h"
#include "mlir-c/Support.h"

#ifdef __cplusplus
extern "C" {
#endif

/*===-- Registration ------------------------------------------------------===*/

/* The dialect alone; see mlirDialectHandleRegisterDialect. */
MLIR_DECLARE_CAPI_DIALECT_REGISTRATION(SparseAttn, sparse_attn);

/* The dialect, all dialects that it is lowered to, and what passes need of
   them. Pipelines need a context of such a registry. */
MLIR_CAPI_EXPORTED void
sparseAttnRegisterDialects(MlirDialectRegistry registry);

/* Passes and pipelines, by the names that mlirParsePassPipeline and
   sparse-attn-opt know: sparse-attn-plan, sparse-attn-cpu-pipeline, .... Once a
   process. */
MLIR_CAPI_EXPORTED void sparseAttnRegisterPassesAndPipelines(void);

/*===-- Masks -------------------------------------------------------------===*/

/* From text: mlirAttributeParseGet("#sparse_attn.causal"). By parts: below,
   with the parameters of the text, in its order, none left out.
   docs/Patterns.md has the formula of each. */

MLIR_CAPI_EXPORTED bool sparseAttnAttributeIsAMask(MlirAttribute attribute);

/* How far a window reaches that has no bound. */
#define SPARSE_ATTN_UNBOUNDED INT64_MIN

/* Which side of a pair must be a global position. */
typedef enum {
  SPARSE_ATTN_GLOBAL_BOTH = 0,
  SPARSE_ATTN_GLOBAL_ROWS = 1,
  SPARSE_ATTN_GLOBAL_COLUMNS = 2
} SparseAttnGlobalDirection;

MLIR_CAPI_EXPORTED MlirAttribute sparseAttnFullAttrGet(MlirContext context);
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnCausalAttrGet(MlirContext context);
/* Either side may be SPARSE_ATTN_UNBOUNDED; dilation and block are 1 where
   there is none. */
MLIR_CAPI_EXPORTED MlirAttribute
sparseAttnSlidingWindowAttrGet(MlirContext context, int64_t left, int64_t right,
                               int64_t dilation, int64_t block);
MLIR_CAPI_EXPORTED MlirAttribute
sparseAttnGlobalAttrGet(MlirContext context, intptr_t numTokens,
                        const int64_t *tokens, int64_t first, int64_t last,
                        int64_t lastBlock, SparseAttnGlobalDirection direction);
/* Reads the data operand `global_tokens`, which an operation with it needs. */
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnGlobalListedAttrGet(
    MlirContext context, SparseAttnGlobalDirection direction);
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnRandomAttrGet(MlirContext context,
                                                         int64_t block,
                                                         int64_t blocksPerRow,
                                                         uint64_t seed,
                                                         bool perHead);
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnChunkedAttrGet(MlirContext context,
                                                          int64_t size);
/* Reads the data operand `documents`, which an operation with it needs. */
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnDocumentAttrGet(MlirContext context);
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnStridedAttrGet(MlirContext context,
                                                          int64_t stride);
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnPrefixAttrGet(MlirContext context,
                                                         int64_t length);
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnPeriodicColumnsAttrGet(
    MlirContext context, int64_t period, int64_t last);
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnPeriodicRowsAttrGet(
    MlirContext context, int64_t period, int64_t last);

/* Members are masks, of any dialect. */
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnUnionAttrGet(
    MlirContext context, intptr_t numMembers, const MlirAttribute *members);
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnIntersectionAttrGet(
    MlirContext context, intptr_t numMembers, const MlirAttribute *members);
MLIR_CAPI_EXPORTED MlirAttribute
sparseAttnComplementAttrGet(MlirContext context, MlirAttribute operand);

MLIR_CAPI_EXPORTED MlirAttribute sparseAttnLongformerAttrGet(
    MlirContext context, int64_t window, intptr_t numGlobalTokens,
    const int64_t *globalTokens);
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnBigBirdAttrGet(MlirContext context,
                                                          int64_t block,
                                                          int64_t windowBlocks,
                                                          int64_t randomBlocks,
                                                          uint64_t seed);
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnPrefixLMAttrGet(MlirContext context,
                                                           int64_t length);
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnStreamingAttrGet(MlirContext context,
                                                            int64_t sinks,
                                                            int64_t window);
MLIR_CAPI_EXPORTED MlirAttribute
sparseAttnSparseTransformerStridedAttrGet(MlirContext context, int64_t stride);
MLIR_CAPI_EXPORTED MlirAttribute sparseAttnSparseTransformerFixedAttrGet(
    MlirContext context, int64_t stride, int64_t columns);

/* How many pairs of so many queries and keys a mask allows in a head; the last
   key is that of the last query. */
MLIR_CAPI_EXPORTED uint64_t sparseAttnMaskCountLivePairs(MlirAttribute mask,
                                                         int64_t numQueries,
                                                         int64_t numKeys,
                                                         int64_t head);

/*===-- Attention ---------------------------------------------------------===*/

/* sparse_attn.attention over query, key and value into `inits`: the output's
   and, as a second one, that of the log-sum-exp, if that is asked for. Results
   are those of tensors, memory is written. `scale` 0 is the default, 1 /
   sqrt(D). The operation stands nowhere yet (mlirBlockAppendOwnedOperation).
   Null where `mask` is none. */
MLIR_CAPI_EXPORTED MlirOperation sparseAttnAttentionCreate(
    MlirLocation location, MlirAttribute mask, double scale, MlirValue query,
    MlirValue key, MlirValue value, intptr_t numInits, const MlirValue *inits);

#ifdef __cplusplus
}
#endif

#endif /* SPARSEATTN_C_SPARSEATTN_H */
