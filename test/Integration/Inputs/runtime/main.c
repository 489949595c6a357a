/* Calls the package that it is given on this processor: causal attention of
   equal scores, so that each row is the mean of the values up to its own. */

#include "SparseAttn/Runtime/SparseAttnRuntime.h"
#include <stdio.h>

#define CHECK(call)                                                            \
  if ((call) != SPARSE_ATTN_SUCCESS) {                                         \
    printf("error: %s\n", sparseAttnGetLastError());                           \
    return 1;                                                                  \
  }

int main(int argc, char **argv) {
  static const float q[4][2], v[4][2] = {{0, 8}, {2, 8}, {4, 8}, {6, 8}};
  const int64_t shape[4] = {1, 1, 4, 2};
  float o[4][2];
  const SparseAttnTensor in[3] = {
      {(uintptr_t)q, SPARSE_ATTN_F32, 4, shape, NULL},
      {(uintptr_t)q, SPARSE_ATTN_F32, 4, shape, NULL},
      {(uintptr_t)v, SPARSE_ATTN_F32, 4, shape, NULL}};
  const SparseAttnTensor out = {(uintptr_t)o, SPARSE_ATTN_F32, 4, shape, NULL};

  SparseAttnPackage *package;
  const SparseAttnFunction *function;
  SparseAttnProgram *program;
  CHECK(sparseAttnPackageOpen(argv[argc - 1], &package));
  CHECK(sparseAttnPackageFindFunction(package, in, 3, &function));
  CHECK(sparseAttnProgramLoad(NULL, function, SPARSE_ATTN_HOST, &program));
  CHECK(sparseAttnProgramLaunch(program, in, 3, &out, 1, 0, 0, NULL));
  for (int row = 0; row < 4; ++row)
    printf("%g %g\n", o[row][0], o[row][1]);
  sparseAttnProgramUnload(program);
  sparseAttnPackageClose(package);
  return 0;
}
