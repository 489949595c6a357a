//===- CudaDoubleDevices.cpp - Devices and contexts -----------------------===//

#include "CudaDoubleState.h"
#include <cstring>

using namespace cuda_double;

EXPORT CUresult cuInit(unsigned flags) {
  ENTER("cuInit");
  if (flags != 0)
    return violate("cuInit with flags", CUDA_ERROR_INVALID_VALUE);
  if (state->devices.empty())
    return CUDA_ERROR_NO_DEVICE;
  state->isInitialized = true;
  return CUDA_SUCCESS;
}

EXPORT CUresult cuDriverGetVersion(int *version) {
  ENTER("cuDriverGetVersion");
  *version = state->version;
  return CUDA_SUCCESS;
}

EXPORT CUresult cuGetErrorName(CUresult error, const char **name) {
  static const std::map<int, const char *> names = {
      {1, "CUDA_ERROR_INVALID_VALUE"},
      {2, "CUDA_ERROR_OUT_OF_MEMORY"},
      {100, "CUDA_ERROR_NO_DEVICE"},
      {218, "CUDA_ERROR_INVALID_PTX"}};
  auto it = names.find(error);
  *name = it == names.end() ? nullptr : it->second;
  return *name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

EXPORT CUresult cuGetErrorString(CUresult error, const char **text) {
  *text = error == CUDA_ERROR_OUT_OF_MEMORY ? "out of memory" : nullptr;
  return *text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

EXPORT CUresult cuDeviceGetCount(int *count) {
  ENTER("cuDeviceGetCount");
  *count = static_cast<int>(state->devices.size());
  return CUDA_SUCCESS;
}

bool cuda_double::isDevice(int device) {
  return device >= 0 && size_t(device) < state->devices.size();
}

EXPORT CUresult cuDeviceGet(CUdevice *device, int ordinal) {
  ENTER("cuDeviceGet");
  if (!isDevice(ordinal))
    return CUDA_ERROR_INVALID_DEVICE;
  *device = ordinal;
  return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceGetName(char *name, int length, CUdevice device) {
  ENTER("cuDeviceGetName");
  std::strncpy(name, "Double", length);
  return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceGetAttribute(int *value, int attribute,
                                     CUdevice device) {
  ENTER("cuDeviceGetAttribute");
  if (!isDevice(device))
    return CUDA_ERROR_INVALID_DEVICE;
  const Device &d = state->devices[device];
  const std::map<int, int> attributes = {
      {CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1024},
      {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X, 2147483647},
      {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y, 65535},
      {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z, 65535},
      {CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, d.multiprocessors},
      {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, d.capability / 10},
      {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, d.capability % 10},
      {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, d.sharedPerBlock},
      {CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED, d.hasMemoryPools}};
  auto it = attributes.find(attribute);
  if (it == attributes.end())
    return violate("an unknown attribute of a device",
                   CUDA_ERROR_INVALID_VALUE);
  *value = it->second;
  return CUDA_SUCCESS;
}

EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
  ENTER("cuDevicePrimaryCtxRetain");
  if (!isDevice(device))
    return CUDA_ERROR_INVALID_DEVICE;
  *context = getPrimary(device);
  ++state->primaries[device].second;
  return CUDA_SUCCESS;
}

EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  ENTER("cuDevicePrimaryCtxRelease");
  if (state->primaries[device].second == 0)
    return violate("a primary context is released too often", kInvalidContext);
  if (--state->primaries[device].second == 0)
    for (const auto &module : state->modules)
      if (module->isLoaded && module->context == state->primaries[device].first)
        violate("a module is left when its context ends", 0);
  return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxGetCurrent(CUcontext *context) {
  ENTER("cuCtxGetCurrent");
  *context = current();
  return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxGetDevice(CUdevice *device) {
  ENTER_IN_CONTEXT("cuCtxGetDevice");
  *device = current()->device;
  return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxPushCurrent_v2(CUcontext context) {
  ENTER("cuCtxPushCurrent");
  if (!context ||
      (context->isPrimary && state->primaries[context->device].second == 0))
    return violate("a context that has ended is made current", kInvalidContext);
  contextStack.push_back(context);
  return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxPopCurrent_v2(CUcontext *context) {
  ENTER_IN_CONTEXT("cuCtxPopCurrent");
  *context = contextStack.back();
  contextStack.pop_back();
  return CUDA_SUCCESS;
}
