//===- CudaDoubleCopies.cpp - What programs around launches call ----------===//
//
// Copies, streams and events.
//
//===----------------------------------------------------------------------===//

#include "CudaDoubleState.h"
#include <algorithm>
#include <chrono>
#include <cstring>

using namespace cuda_double;

/// All of it is in one allocation.
static bool isMemory(uint64_t address, size_t bytes) {
  auto it = state->memory.upper_bound(address);
  if (it == state->memory.begin())
    return false;
  --it;
  uint64_t offset = address - it->first;
  return offset <= it->second.bytes && bytes <= it->second.bytes - offset;
}

/// 0 where this is memory that can be read and written.
static CUresult checkMemory(const char *function, uint64_t address,
                            size_t bytes) {
  if (state->kernels.empty())
    return violate(std::string(function) +
                       " needs SPARSE_ATTN_DOUBLE_KERNELS: without kernels, "
                       "memory is addresses only",
                   CUDA_ERROR_INVALID_VALUE);
  if (isMemory(address, bytes))
    return CUDA_SUCCESS;
  return violate(std::string(function) + " outside of an allocation",
                 CUDA_ERROR_INVALID_VALUE);
}

static void *pointer(uint64_t address) {
  return reinterpret_cast<void *>(address);
}

static CUresult copyToDevice(const char *function, CUdeviceptr target,
                             const void *source, size_t bytes) {
  CUresult result = checkMemory(function, target, bytes);
  if (!result)
    std::memcpy(pointer(target), source, bytes);
  return result;
}

static CUresult copyToHost(const char *function, void *target,
                           CUdeviceptr source, size_t bytes) {
  CUresult result = checkMemory(function, source, bytes);
  if (!result)
    std::memcpy(target, pointer(source), bytes);
  return result;
}

EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr target, const void *source,
                                size_t bytes) {
  ENTER_IN_CONTEXT("cuMemcpyHtoD");
  return copyToDevice("cuMemcpyHtoD", target, source, bytes);
}

EXPORT CUresult cuMemcpyDtoH_v2(void *target, CUdeviceptr source,
                                size_t bytes) {
  ENTER_IN_CONTEXT("cuMemcpyDtoH");
  return copyToHost("cuMemcpyDtoH", target, source, bytes);
}

EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr target, const void *source,
                                     size_t bytes, CUstream stream) {
  ENTER_IN_CONTEXT("cuMemcpyHtoDAsync");
  if (CUresult result = checkStream(stream, "cuMemcpyHtoDAsync"))
    return result;
  return copyToDevice("cuMemcpyHtoDAsync", target, source, bytes);
}

EXPORT CUresult cuMemcpyDtoHAsync_v2(void *target, CUdeviceptr source,
                                     size_t bytes, CUstream stream) {
  ENTER_IN_CONTEXT("cuMemcpyDtoHAsync");
  if (CUresult result = checkStream(stream, "cuMemcpyDtoHAsync"))
    return result;
  return copyToHost("cuMemcpyDtoHAsync", target, source, bytes);
}

EXPORT CUresult cuMemsetD8_v2(CUdeviceptr target, unsigned char value,
                              size_t bytes) {
  ENTER_IN_CONTEXT("cuMemsetD8");
  CUresult result = checkMemory("cuMemsetD8", target, bytes);
  if (!result)
    std::memset(pointer(target), value, bytes);
  return result;
}

//===----------------------------------------------------------------------===//
// Contexts and streams
//===----------------------------------------------------------------------===//

EXPORT CUresult cuCtxSetCurrent(CUcontext context) {
  ENTER("cuCtxSetCurrent");
  if (!contextStack.empty())
    contextStack.pop_back();
  if (context)
    contextStack.push_back(context);
  return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxSynchronize() {
  ENTER_IN_CONTEXT("cuCtxSynchronize");
  return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
  ENTER_IN_CONTEXT("cuStreamCreate");
  state->streams.push_back(
      std::make_unique<CUstream_st>(CUstream_st{current(), false}));
  *stream = state->streams.back().get();
  return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamDestroy_v2(CUstream stream) {
  ENTER_IN_CONTEXT("cuStreamDestroy");
  if (CUresult result = checkStream(stream, "cuStreamDestroy"))
    return result;
  if (stream)
    stream->isDestroyed = true;
  return CUDA_SUCCESS;
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

static CUresult checkEvent(CUevent event, const char *function) {
  for (const auto &known : state->events)
    if (known.get() == event && !known->isDestroyed)
      return CUDA_SUCCESS;
  return violate(std::string(function) + " of no event",
                 CUDA_ERROR_INVALID_HANDLE);
}

EXPORT CUresult cuEventCreate(CUevent *event, unsigned flags) {
  ENTER_IN_CONTEXT("cuEventCreate");
  state->events.push_back(std::make_unique<CUevent_st>(CUevent_st{current()}));
  *event = state->events.back().get();
  return CUDA_SUCCESS;
}

EXPORT CUresult cuEventRecord(CUevent event, CUstream stream) {
  ENTER_IN_CONTEXT("cuEventRecord");
  if (CUresult result = checkEvent(event, "cuEventRecord"))
    return result;
  if (CUresult result = checkStream(stream, "cuEventRecord"))
    return result;
  std::chrono::duration<double, std::milli> now =
      std::chrono::steady_clock::now().time_since_epoch();
  event->milliseconds = now.count();
  return CUDA_SUCCESS;
}

EXPORT CUresult cuEventSynchronize(CUevent event) {
  ENTER_IN_CONTEXT("cuEventSynchronize");
  return checkEvent(event, "cuEventSynchronize");
}

EXPORT CUresult cuEventElapsedTime(float *milliseconds, CUevent start,
                                   CUevent end) {
  ENTER_IN_CONTEXT("cuEventElapsedTime");
  for (CUevent event : {start, end}) {
    if (CUresult result = checkEvent(event, "cuEventElapsedTime"))
      return result;
    if (event->milliseconds < 0)
      return violate("cuEventElapsedTime of an event that was never recorded",
                     CUDA_ERROR_INVALID_HANDLE);
  }
  *milliseconds = static_cast<float>(end->milliseconds - start->milliseconds);
  return CUDA_SUCCESS;
}

EXPORT CUresult cuEventDestroy_v2(CUevent event) {
  ENTER_IN_CONTEXT("cuEventDestroy");
  if (CUresult result = checkEvent(event, "cuEventDestroy"))
    return result;
  event->isDestroyed = true;
  return CUDA_SUCCESS;
}
