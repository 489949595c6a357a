//===- CudaDriver.h - Of the CUDA driver's interface what we call -*- C++
//-*-===//
//
// Written from the driver API's reference manual: names of symbols, types and
// numbers that libcuda keeps for the programs that were built before it.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_RUNTIME_CUDADRIVER_H
#define SPARSEATTN_LIB_RUNTIME_CUDADRIVER_H

#include <cstddef>
#include <cstdint>

extern "C" {
using CUresult = int;
using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = struct CUctx_st *;
using CUmodule = struct CUmod_st *;
using CUfunction = struct CUfunc_st *;
using CUevent = struct CUevent_st *;
using CUstream = struct CUstream_st *;
// At a multiple of 64 up to CUDA 12, and of 128 from CUDA 13 on.
struct CUtensorMap_st { // NOLINT(readability-identifier-naming)
  alignas(128) uint64_t opaque[16];
};
using CUtensorMap = CUtensorMap_st;
}

/// X(name, number).
#define SPARSE_ATTN_CUDA_NUMBERS(X)                                            \
  X(CUDA_SUCCESS, 0)                                                           \
  X(CUDA_ERROR_INVALID_VALUE, 1)                                               \
  X(CUDA_ERROR_OUT_OF_MEMORY, 2)                                               \
  X(CUDA_ERROR_STUB_LIBRARY, 34)                                               \
  X(CUDA_ERROR_NO_DEVICE, 100)                                                 \
  X(CUDA_ERROR_INVALID_DEVICE, 101)                                            \
  X(CUDA_ERROR_INVALID_IMAGE, 200)                                             \
  X(CUDA_ERROR_INVALID_CONTEXT, 201)                                           \
  X(CUDA_ERROR_NO_BINARY_FOR_GPU, 209)                                         \
  X(CUDA_ERROR_INVALID_PTX, 218)                                               \
  X(CUDA_ERROR_JIT_COMPILER_NOT_FOUND, 221)                                    \
  X(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, 222)                                   \
  X(CUDA_ERROR_JIT_COMPILATION_DISABLED, 223)                                  \
  X(CUDA_ERROR_INVALID_HANDLE, 400)                                            \
  X(CUDA_ERROR_NOT_FOUND, 500)                                                 \
  X(CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, 803)                                    \
  X(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1)                              \
  X(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X, 5)                                     \
  X(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y, 6)                                     \
  X(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z, 7)                                     \
  X(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 16)                              \
  X(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 75)                          \
  X(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 76)                          \
  X(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 97)                 \
  X(CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED, 115)                           \
  X(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, 1)                                    \
  X(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 8)                        \
  X(CU_JIT_ERROR_LOG_BUFFER, 5)                                                \
  X(CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, 6)                                     \
  X(CU_POINTER_ATTRIBUTE_MEMORY_TYPE, 2)                                       \
  X(CU_POINTER_ATTRIBUTE_IS_MANAGED, 8)                                        \
  X(CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, 9)                                    \
  X(CU_MEMORYTYPE_HOST, 1)                                                     \
  X(CU_MEMORYTYPE_DEVICE, 2)                                                   \
  X(CU_TENSOR_MAP_DATA_TYPE_FLOAT16, 6)                                        \
  X(CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 7)                                        \
  X(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 9)                                       \
  X(CU_TENSOR_MAP_INTERLEAVE_NONE, 0)                                          \
  X(CU_TENSOR_MAP_SWIZZLE_NONE, 0)                                             \
  X(CU_TENSOR_MAP_SWIZZLE_32B, 1)                                              \
  X(CU_TENSOR_MAP_SWIZZLE_64B, 2)                                              \
  X(CU_TENSOR_MAP_SWIZZLE_128B, 3)                                             \
  X(CU_TENSOR_MAP_L2_PROMOTION_NONE, 0)                                        \
  X(CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE, 0)

// NOLINTBEGIN(readability-identifier-naming)
enum : int {
#define X(name, number) name = number,
  SPARSE_ATTN_CUDA_NUMBERS(X)
#undef X
};
// NOLINTEND(readability-identifier-naming)

/// X(symbol, (parameters)). All of CUDA 11.0, which first knew sm_80.
#define SPARSE_ATTN_CUDA_FUNCTIONS(X)                                          \
  X(cuInit, (unsigned))                                                        \
  X(cuDriverGetVersion, (int *))                                               \
  X(cuGetErrorName, (CUresult, const char **))                                 \
  X(cuGetErrorString, (CUresult, const char **))                               \
  X(cuDeviceGetCount, (int *))                                                 \
  X(cuDeviceGet, (CUdevice *, int))                                            \
  X(cuDeviceGetName, (char *, int, CUdevice))                                  \
  X(cuDeviceGetAttribute, (int *, int, CUdevice))                              \
  X(cuDevicePrimaryCtxRetain, (CUcontext *, CUdevice))                         \
  X(cuDevicePrimaryCtxRelease_v2, (CUdevice))                                  \
  X(cuCtxGetCurrent, (CUcontext *))                                            \
  X(cuCtxGetDevice, (CUdevice *))                                              \
  X(cuCtxPushCurrent_v2, (CUcontext))                                          \
  X(cuCtxPopCurrent_v2, (CUcontext *))                                         \
  X(cuModuleLoadDataEx, (CUmodule *, const void *, unsigned, int *, void **))  \
  X(cuModuleUnload, (CUmodule))                                                \
  X(cuModuleGetFunction, (CUfunction *, CUmodule, const char *))               \
  X(cuFuncGetAttribute, (int *, int, CUfunction))                              \
  X(cuFuncSetAttribute, (CUfunction, int, int))                                \
  X(cuPointerGetAttributes, (unsigned, int *, void **, CUdeviceptr))           \
  X(cuMemAlloc_v2, (CUdeviceptr *, size_t))                                    \
  X(cuMemFree_v2, (CUdeviceptr))                                               \
  X(cuMemcpyHtoD_v2, (CUdeviceptr, const void *, size_t))                      \
  X(cuMemcpyDtoH_v2, (void *, CUdeviceptr, size_t))                            \
  X(cuEventCreate, (CUevent *, unsigned))                                      \
  X(cuEventRecord, (CUevent, CUstream))                                        \
  X(cuEventSynchronize, (CUevent))                                             \
  X(cuEventElapsedTime, (float *, CUevent, CUevent))                           \
  X(cuEventDestroy_v2, (CUevent))                                              \
  X(cuStreamIsCapturing, (CUstream, int *))                                    \
  X(cuStreamSynchronize, (CUstream))                                           \
  X(cuLaunchKernel,                                                            \
    (CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,   \
     unsigned, CUstream, void **, void **))

/// These came with CUDA 11.2, tensor maps with 12.0; they are null in older
/// drivers.
#define SPARSE_ATTN_CUDA_OPTIONAL_FUNCTIONS(X)                                 \
  X(cuMemAllocAsync, (CUdeviceptr *, size_t, CUstream))                        \
  X(cuMemFreeAsync, (CUdeviceptr, CUstream))                                   \
  X(cuTensorMapEncodeTiled,                                                    \
    (CUtensorMap *, int, uint32_t, void *, const uint64_t *, const uint64_t *, \
     const uint32_t *, const uint32_t *, int, int, int, int))

#endif // SPARSEATTN_LIB_RUNTIME_CUDADRIVER_H
