/* Makes every mask by its parts and from text, and lowers the function in the
   file that it is given by the pipeline that it is given. */

#include "SparseAttn-c/SparseAttn.h"
#include "mlir-c/BuiltinAttributes.h"
#include "mlir-c/Diagnostics.h"
#include "mlir-c/Pass.h"
#include <stdio.h>
#include <stdlib.h>

static void print(MlirStringRef text, void *data) {
  fwrite(text.data, 1, text.length, stdout);
}

static MlirLogicalResult report(MlirDiagnostic diagnostic, void *data) {
  printf("diagnostic: ");
  mlirDiagnosticPrint(diagnostic, print, NULL);
  printf("\n");
  return mlirLogicalResultSuccess();
}

static MlirContext context;

/* Both are the same attribute, a mask. */
static void check(MlirAttribute mask, const char *text) {
  MlirAttribute parsed =
      mlirAttributeParseGet(context, mlirStringRefCreateFromCString(text));
  if (mlirAttributeIsNull(mask) || !mlirAttributeEqual(mask, parsed) ||
      !sparseAttnAttributeIsAMask(mask)) {
    printf("not %s\n", text);
    exit(1);
  }
}

static void checkPrimitives(void) {
  const int64_t tokens[2] = {0, -1};
  check(sparseAttnFullAttrGet(context), "#sparse_attn.full");
  check(sparseAttnCausalAttrGet(context), "#sparse_attn.causal");
  check(sparseAttnDocumentAttrGet(context), "#sparse_attn.document");
  check(sparseAttnSlidingWindowAttrGet(context, 4, SPARSE_ATTN_UNBOUNDED, 1, 1),
        "#sparse_attn.sliding_window<left = 4, right = unbounded>");
  check(sparseAttnSlidingWindowAttrGet(context, 4, 2, 3, 1),
        "#sparse_attn.sliding_window<left = 4, right = 2, dilation = 3>");
  check(sparseAttnGlobalAttrGet(context, 2, tokens, 3, 4, 5,
                                SPARSE_ATTN_GLOBAL_COLUMNS),
        "#sparse_attn.global<tokens = [0, -1], first = 3, last = 4, "
        "last_block = 5, direction = columns>");
  check(sparseAttnGlobalAttrGet(context, 2, tokens, 0, 0, 0,
                                SPARSE_ATTN_GLOBAL_ROWS),
        "#sparse_attn.global<tokens = [0, -1], direction = rows>");
  check(sparseAttnGlobalListedAttrGet(context, SPARSE_ATTN_GLOBAL_BOTH),
        "#sparse_attn.global<listed>");
  check(sparseAttnGlobalListedAttrGet(context, SPARSE_ATTN_GLOBAL_COLUMNS),
        "#sparse_attn.global<listed, direction = columns>");
  check(sparseAttnRandomAttrGet(context, 16, 3, 7, false),
        "#sparse_attn.random<block = 16, blocks_per_row = 3, seed = 7, "
        "per_head = false>");
  check(sparseAttnChunkedAttrGet(context, 8), "#sparse_attn.chunked<size = 8>");
  check(sparseAttnStridedAttrGet(context, 8),
        "#sparse_attn.strided<stride = 8>");
  check(sparseAttnPrefixAttrGet(context, 8), "#sparse_attn.prefix<length = 8>");
  check(sparseAttnPeriodicColumnsAttrGet(context, 8, 2),
        "#sparse_attn.periodic_columns<period = 8, last = 2>");
  check(sparseAttnPeriodicRowsAttrGet(context, 8, 2),
        "#sparse_attn.periodic_rows<period = 8, last = 2>");
}

static void checkPresets(void) {
  const int64_t tokens[1] = {0};
  check(sparseAttnLongformerAttrGet(context, 64, 1, tokens),
        "#sparse_attn.longformer<window = 64, global_tokens = [0]>");
  check(sparseAttnBigBirdAttrGet(context, 64, 3, 2, 9),
        "#sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = "
        "2, seed = 9>");
  check(sparseAttnPrefixLMAttrGet(context, 8),
        "#sparse_attn.prefix_lm<length = 8>");
  check(sparseAttnStreamingAttrGet(context, 4, 8),
        "#sparse_attn.streaming<sinks = 4, window = 8>");
  check(sparseAttnSparseTransformerStridedAttrGet(context, 8),
        "#sparse_attn.sparse_transformer_strided<stride = 8>");
  check(sparseAttnSparseTransformerFixedAttrGet(context, 8, 2),
        "#sparse_attn.sparse_transformer_fixed<stride = 8, columns = 2>");
}

static void checkCombinators(void) {
  MlirAttribute causal = sparseAttnCausalAttrGet(context);
  MlirAttribute members[2] = {causal, sparseAttnPrefixAttrGet(context, 8)};
  check(sparseAttnUnionAttrGet(context, 2, members),
        "#sparse_attn.union<#sparse_attn.causal, "
        "#sparse_attn.prefix<length = 8>>");
  check(sparseAttnIntersectionAttrGet(context, 2, members),
        "#sparse_attn.intersection<#sparse_attn.causal, "
        "#sparse_attn.prefix<length = 8>>");
  check(sparseAttnComplementAttrGet(context, causal),
        "#sparse_attn.complement<#sparse_attn.causal>");
  printf("pairs: %d\n",
         (int)sparseAttnMaskCountLivePairs(causal, 4, 6, /*head=*/0));
}

/* Nulls, with a diagnostic each. */
static void checkRefused(void) {
  MlirAttribute members[2] = {sparseAttnCausalAttrGet(context),
                              mlirUnitAttrGet(context)};
  if (!mlirAttributeIsNull(sparseAttnChunkedAttrGet(context, 0)) ||
      !mlirAttributeIsNull(
          sparseAttnSlidingWindowAttrGet(context, 1, 1, 2, 2)) ||
      !mlirAttributeIsNull(sparseAttnUnionAttrGet(context, 2, members)) ||
      !mlirAttributeIsNull(sparseAttnComplementAttrGet(context, members[1])) ||
      sparseAttnAttributeIsAMask(members[1])) {
    printf("a mask that cannot be\n");
    exit(1);
  }
}

/* Attention on the arguments of a block, verified and printed. */
static void buildAttention(const char *typeText, double scale) {
  MlirType type =
      mlirTypeParseGet(context, mlirStringRefCreateFromCString(typeText));
  MlirLocation location = mlirLocationUnknownGet(context);
  MlirBlock block = mlirBlockCreate(1, &type, &location);
  MlirValue x = mlirBlockGetArgument(block, 0);
  MlirAttribute causal = sparseAttnCausalAttrGet(context);
  MlirOperation op =
      sparseAttnAttentionCreate(location, causal, scale, x, x, x, 1, &x);
  mlirBlockAppendOwnedOperation(block, op);
  if (!mlirOperationVerify(op) ||
      !mlirOperationIsNull(sparseAttnAttentionCreate(
          location, mlirUnitAttrGet(context), 0, x, x, x, 1, &x)))
    exit(1);
  mlirOperationPrint(op, print, NULL);
  printf("\n");
  mlirBlockDestroy(block);
}

static char *readText(const char *name) {
  static char text[1 << 16];
  FILE *file = fopen(name, "rb");
  text[fread(text, 1, sizeof(text) - 1, file)] = 0;
  fclose(file);
  return text;
}

/* The module in `file` after `pipeline`. */
static int lower(const char *file, const char *pipeline) {
  MlirModule module = mlirModuleCreateParse(
      context, mlirStringRefCreateFromCString(readText(file)));
  MlirPassManager passes = mlirPassManagerCreate(context);
  int failed = mlirModuleIsNull(module) ||
               mlirLogicalResultIsFailure(mlirParsePassPipeline(
                   mlirPassManagerGetAsOpPassManager(passes),
                   mlirStringRefCreateFromCString(pipeline), print, NULL)) ||
               mlirLogicalResultIsFailure(mlirPassManagerRunOnOp(
                   passes, mlirModuleGetOperation(module)));
  if (!failed)
    mlirOperationPrint(mlirModuleGetOperation(module), print, NULL);
  mlirPassManagerDestroy(passes);
  mlirModuleDestroy(module);
  return failed;
}

int main(int argc, char **argv) {
  MlirDialectRegistry registry = mlirDialectRegistryCreate();
  sparseAttnRegisterDialects(registry);
  sparseAttnRegisterPassesAndPipelines();
  context = mlirContextCreateWithRegistry(registry, /*threading=*/false);
  mlirContextAttachDiagnosticHandler(context, report, NULL, NULL);
  checkPrimitives();
  checkPresets();
  checkCombinators();
  checkRefused();
  buildAttention("tensor<1x1x8x4xf32>", 0);
  buildAttention("memref<1x1x8x4xf32>", 2);
  int failed = lower(argv[1], argv[2]);
  mlirContextDestroy(context);
  mlirDialectRegistryDestroy(registry);
  return failed;
}
