//===- Memory.cpp - A device's memory through the C interface -------------===//

#include "Guard.h"
#include <iterator>

using namespace sparse_attn::runtime;

namespace {
/// A device's primary context, current from here to the end of the scope.
class PrimaryContext {
public:
  PrimaryContext(const Driver &driver, int32_t number)
      : driver(driver), device(driver.getDevice(number)) {
    driver.check(driver.cuDevicePrimaryCtxRetain(&context, device),
                 "device " + std::to_string(number) + " gives no context");
    try {
      scope.emplace(driver, context);
    } catch (...) {
      driver.cuDevicePrimaryCtxRelease_v2(device);
      throw;
    }
  }
  /// Memory lives as long as its context, so one that has given some is kept.
  void keep() { isKept = true; }
  ~PrimaryContext() {
    scope.reset();
    if (!isKept)
      driver.cuDevicePrimaryCtxRelease_v2(device);
  }
  PrimaryContext(const PrimaryContext &) = delete;
  PrimaryContext &operator=(const PrimaryContext &) = delete;

private:
  const Driver &driver;
  CUdevice device;
  CUcontext context = nullptr;
  bool isKept = false;
  std::optional<ContextScope> scope;
};
} // namespace

SparseAttnStatus sparseAttnDeviceGetCapability(const SparseAttnDriver *driver,
                                               int32_t device,
                                               int32_t *capability) {
  return guard([&] {
    const Driver &opened = *need(driver, "driver").driver;
    need(capability, "capability");
    *capability = opened.getCapability(opened.getDevice(device));
  });
}

SparseAttnStatus sparseAttnDeviceAllocate(SparseAttnDriver *driver,
                                          int32_t device, uint64_t bytes,
                                          uint64_t *address) {
  return guard([&] {
    const Driver &opened = *need(driver, "driver").driver;
    need(address, "address");
    PrimaryContext context(opened, device);
    CUdeviceptr memory = 0;
    opened.check(opened.cuMemAlloc_v2(&memory, bytes),
                 "no " + std::to_string(bytes) + " bytes on device " +
                     std::to_string(device));
    context.keep();
    *address = memory;
  });
}

SparseAttnStatus sparseAttnDeviceFree(SparseAttnDriver *driver, int32_t device,
                                      uint64_t address) {
  return guard([&] {
    const Driver &opened = *need(driver, "driver").driver;
    if (!address)
      return;
    PrimaryContext context(opened, device);
    opened.check(opened.cuMemFree_v2(address), "memory cannot be freed");
    // What allocating has kept.
    opened.cuDevicePrimaryCtxRelease_v2(opened.getDevice(device));
  });
}

static std::string describeCopy(uint64_t bytes, const char *direction,
                                int32_t device) {
  return std::to_string(bytes) + " bytes cannot be copied " + direction +
         " device " + std::to_string(device);
}

SparseAttnStatus sparseAttnDeviceCopyTo(SparseAttnDriver *driver,
                                        int32_t device, uint64_t target,
                                        const void *source, uint64_t bytes) {
  return guard([&] {
    const Driver &opened = *need(driver, "driver").driver;
    if (bytes == 0)
      return;
    if (!source)
      fail(SPARSE_ATTN_INVALID_ARGUMENT,
           "source is null; give a valid pointer");
    PrimaryContext context(opened, device);
    opened.check(opened.cuMemcpyHtoD_v2(target, source, bytes),
                 describeCopy(bytes, "to", device));
  });
}

SparseAttnStatus sparseAttnDeviceCopyFrom(SparseAttnDriver *driver,
                                          int32_t device, void *target,
                                          uint64_t source, uint64_t bytes) {
  return guard([&] {
    const Driver &opened = *need(driver, "driver").driver;
    if (bytes == 0)
      return;
    if (!target)
      fail(SPARSE_ATTN_INVALID_ARGUMENT,
           "target is null; give a valid pointer");
    PrimaryContext context(opened, device);
    opened.check(opened.cuMemcpyDtoH_v2(target, source, bytes),
                 describeCopy(bytes, "from", device));
  });
}

SparseAttnStatus sparseAttnDeviceFind(const SparseAttnDriver *driver,
                                      uint64_t address, int32_t *device) {
  return guard([&] {
    const Driver &opened = *need(driver, "driver").driver;
    need(device, "device");
    unsigned type = 0;
    int ordinal = -1;
    int attributes[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                        CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL};
    void *answers[] = {&type, &ordinal};
    CUresult result = opened.cuPointerGetAttributes(
        std::size(attributes), attributes, answers, address);
    if (result != CUDA_SUCCESS && result != CUDA_ERROR_INVALID_VALUE)
      opened.raise(result, "cuPointerGetAttributes");
    if (result == CUDA_ERROR_INVALID_VALUE || type == 0)
      fail(SPARSE_ATTN_WRONG_DEVICE,
           "address " + std::to_string(address) +
               " is not in memory that the driver knows; copy it to the "
               "device");
    *device = ordinal;
  });
}
