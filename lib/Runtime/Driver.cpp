//===- Driver.cpp - The CUDA driver, opened at run time -------------------===//

#include "Driver.h"
#include "Error.h"
#include <dlfcn.h>

using namespace sparse_attn::runtime;

static constexpr int kOldestVersion = 11000;

std::string sparse_attn::runtime::printCudaVersion(int version) {
  return std::to_string(version / 1000) + "." +
         std::to_string(version % 1000 / 10);
}

/// The code that users see and what they can do.
static std::pair<SparseAttnStatus, const char *> explain(CUresult result) {
  switch (result) {
  case CUDA_ERROR_OUT_OF_MEMORY:
    return {SPARSE_ATTN_OUT_OF_MEMORY,
            "free memory of the device, or give smaller tensors"};
  case CUDA_ERROR_STUB_LIBRARY:
    return {SPARSE_ATTN_NO_DRIVER,
            "this libcuda is the toolkit's stub for linking; put the driver's "
            "own first on the library path"};
  case CUDA_ERROR_NO_DEVICE:
  case CUDA_ERROR_INVALID_DEVICE:
    return {SPARSE_ATTN_NO_DEVICE, "check nvidia-smi and CUDA_VISIBLE_DEVICES"};
  case CUDA_ERROR_SYSTEM_DRIVER_MISMATCH:
    return {SPARSE_ATTN_OLD_DRIVER,
            "the driver in the kernel and libcuda are of different versions; "
            "restart the machine after an update"};
  case CUDA_ERROR_INVALID_IMAGE:
  case CUDA_ERROR_NO_BINARY_FOR_GPU:
  case CUDA_ERROR_INVALID_PTX:
  case CUDA_ERROR_NOT_FOUND:
    return {SPARSE_ATTN_INVALID_CODE,
            "write the package anew with sparse-attn-compile for this device"};
  case CUDA_ERROR_UNSUPPORTED_PTX_VERSION:
    return {SPARSE_ATTN_OLD_DRIVER, "install a newer driver"};
  case CUDA_ERROR_JIT_COMPILER_NOT_FOUND:
  case CUDA_ERROR_JIT_COMPILATION_DISABLED:
    return {SPARSE_ATTN_INVALID_CODE,
            "install libnvidia-ptxjitcompiler, unset CUDA_DISABLE_PTX_JIT, or "
            "write a package with a cubin for this chip"};
  case CUDA_ERROR_INVALID_CONTEXT:
  case CUDA_ERROR_INVALID_HANDLE:
    return {SPARSE_ATTN_DRIVER_ERROR,
            "the stream or the context has ended, or the stream is of another "
            "context than the program"};
  default:
    return {SPARSE_ATTN_DRIVER_ERROR,
            "an earlier kernel or call may have failed: see the CUDA driver's "
            "manual for this error"};
  }
}

void Driver::raise(CUresult result, const std::string &what) const {
  const char *name = nullptr, *text = nullptr;
  cuGetErrorName(result, &name);
  cuGetErrorString(result, &text);
  auto [status, remedy] = explain(result);
  std::string message = what + ": ";
  message += name ? name : "error " + std::to_string(result);
  if (text)
    message += std::string(" (") + text + ")";
  fail(status, message + "; " + remedy);
}

/// Closes what a constructor that fails has opened.
struct LibraryCloser {
  void operator()(void *library) const { dlclose(library); }
};

Driver::Driver(const std::string &name) {
  // libcuda does not survive being unloaded while its threads run.
  std::unique_ptr<void, LibraryCloser> opened(
      dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE));
  if (!opened) {
    const char *reason = dlerror();
    fail(SPARSE_ATTN_NO_DRIVER,
         "no CUDA driver: " + std::string(reason ? reason : name) +
             "; install NVIDIA's driver, or name its library in "
             "SPARSE_ATTN_LIBCUDA");
  }
  auto find = [&](auto &function, const char *symbol) {
    function = reinterpret_cast<std::decay_t<decltype(function)>>(
        dlsym(opened.get(), symbol));
    return function != nullptr;
  };
#define X(name, parameters)                                                    \
  if (!find(this->name, #name))                                                \
    fail(SPARSE_ATTN_OLD_DRIVER, "the CUDA driver has no " #name               \
                                 "; install one of CUDA 11.0 or later");
  SPARSE_ATTN_CUDA_FUNCTIONS(X)
#undef X
#define X(name, parameters) find(this->name, #name);
  SPARSE_ATTN_CUDA_OPTIONAL_FUNCTIONS(X)
#undef X
  check(cuInit(0), "the CUDA driver does not start (cuInit)");
  check(cuDriverGetVersion(&version), "cuDriverGetVersion");
  if (version < kOldestVersion)
    fail(SPARSE_ATTN_OLD_DRIVER, "the driver is of CUDA " +
                                     printCudaVersion(version) +
                                     "; install one of CUDA 11.0 or later");
  library = opened.release();
}

Driver::~Driver() { dlclose(library); }

int Driver::getAttribute(CUdevice device, int attribute) const {
  int value = 0;
  check(cuDeviceGetAttribute(&value, attribute, device),
        "cuDeviceGetAttribute(" + std::to_string(attribute) + ")");
  return value;
}

int Driver::getCapability(CUdevice device) const {
  return getAttribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) *
             10 +
         getAttribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
}

CUdevice Driver::getDevice(int32_t number) const {
  int count = 0;
  check(cuDeviceGetCount(&count), "cuDeviceGetCount");
  if (number < 0 || number >= count)
    fail(SPARSE_ATTN_NO_DEVICE,
         "there is no device " + std::to_string(number) + ", of " +
             std::to_string(count) +
             "; check nvidia-smi and CUDA_VISIBLE_DEVICES");
  CUdevice device = 0;
  check(cuDeviceGet(&device, number), "cuDeviceGet");
  return device;
}

ContextScope::ContextScope(const Driver &driver, CUcontext context)
    : driver(driver) {
  CUcontext current = nullptr;
  driver.check(driver.cuCtxGetCurrent(&current), "cuCtxGetCurrent");
  if (current == context)
    return;
  driver.check(driver.cuCtxPushCurrent_v2(context), "cuCtxPushCurrent");
  isPushed = true;
}

ContextScope::~ContextScope() {
  CUcontext popped = nullptr;
  if (isPushed)
    driver.cuCtxPopCurrent_v2(&popped);
}
