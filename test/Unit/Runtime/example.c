/* The example of docs/Runtime.md, compiled as C11. */

#include "SparseAttn/Runtime/SparseAttnRuntime.h"
#include <stdio.h>

#define CHECK(call)                                                            \
  if ((call) != SPARSE_ATTN_SUCCESS) {                                         \
    fprintf(stderr, "%s\n", sparseAttnGetLastError());                         \
    return 1;                                                                  \
  }

/* Addresses on device 0; q, k, v and o are bf16 of the shape [b, h, s, 64], lse
   is f32 of the shape [b, h, s]. */
int attend(const char *directory, uint64_t q, uint64_t k, uint64_t v,
           uint64_t o, uint64_t lse, int64_t b, int64_t h, int64_t s,
           void *stream) {
  SparseAttnPackage *package;
  SparseAttnDriver *driver;
  const SparseAttnFunction *function;
  SparseAttnProgram *program;
  const int64_t shape[4] = {b, h, s, 64};
  const SparseAttnTensor in[3] = {{q, SPARSE_ATTN_BF16, 4, shape, NULL},
                                  {k, SPARSE_ATTN_BF16, 4, shape, NULL},
                                  {v, SPARSE_ATTN_BF16, 4, shape, NULL}};
  const SparseAttnTensor out[2] = {{o, SPARSE_ATTN_BF16, 4, shape, NULL},
                                   {lse, SPARSE_ATTN_F32, 3, shape, NULL}};

  /* Once. */
  CHECK(sparseAttnPackageOpen(directory, &package));
  CHECK(sparseAttnDriverOpen(NULL, &driver));
  CHECK(sparseAttnPackageFindFunction(package, in, 3, &function));
  CHECK(sparseAttnProgramLoad(driver, function, 0, &program));
  /* As often as needed. */
  CHECK(sparseAttnProgramLaunch(program, in, 3, out, 2, 0, 0, stream));
  /* When the stream has come to its end. */
  sparseAttnProgramUnload(program);
  sparseAttnDriverClose(driver);
  sparseAttnPackageClose(package);
  return 0;
}
