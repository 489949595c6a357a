//===- Load.cpp - From a package to a device ------------------------------===//

#include "Error.h"
#include "Program.h"
#include <algorithm>

using namespace sparse_attn::runtime;

/// The CUDA version that cuTensorMapEncodeTiled came with.
static constexpr int kTensorMapVersion = 12000;

/// The CUDA version, as 12040, whose drivers first took that PTX. Release notes
/// of the PTX manual.
static int getNeededCuda(int ptxMajor, int ptxMinor) {
  int ptx = ptxMajor * 10 + ptxMinor;
  if (ptx < 70)
    return 11000;
  // 8.6 to 8.8 came one release later than the count says.
  bool isLate = ptx >= 86 && ptx < 90;
  return (ptxMajor + 4) * 1000 + (ptxMinor + (isLate ? 1 : 0)) * 10;
}

namespace {
struct Choice {
  const Variant *variant = nullptr;
  int32_t index = 0;
  bool isExactChip = false;
};

/// Loads one module; what it has done is undone by Module's destructor.
class Loader {
public:
  Loader(Module &module, bool isExactChip)
      : module(module), driver(*module.driver), isExactChip(isExactChip) {}

  void load() {
    checkTensorMaps();
    ContextScope scope(driver, module.context);
    loadCode();
    readLimits();
    for (const LaunchVariant &launches : module.variant.launchVariants)
      for (const Launch &launch : launches.launches)
        addKernel(launch);
    raiseSharedLimits();
  }

private:
  void checkTensorMaps() const {
    if (!module.variant.hasTensorMaps ||
        (driver.cuTensorMapEncodeTiled &&
         driver.getVersion() >= kTensorMapVersion))
      return;
    fail(SPARSE_ATTN_OLD_DRIVER,
         "the driver is of CUDA " + printCudaVersion(driver.getVersion()) +
             ", and " + quote(module.variant.name) + " for " +
             module.variant.chip +
             " takes tensor maps, which drivers make from CUDA " +
             printCudaVersion(kTensorMapVersion) +
             " on (cuTensorMapEncodeTiled); install a newer driver");
  }

  /// A cubin of a newer toolkit than the driver is not the end where there is
  /// PTX as well.
  void loadCode() {
    const std::string *cubin = module.variant.findCode("cubin");
    const std::string *ptx = module.variant.findCode("ptx");
    if (cubin && isExactChip) {
      CUresult result = driver.cuModuleLoadDataEx(&module.module, cubin->data(),
                                                  0, nullptr, nullptr);
      module.isCubin = result == CUDA_SUCCESS;
      if (module.isCubin)
        return;
      module.module = nullptr;
      if (!ptx || result == CUDA_ERROR_OUT_OF_MEMORY)
        driver.raise(result, "the driver refuses the cubin of " +
                                 quote(module.variant.name) + " for " +
                                 module.variant.chip);
    }
    loadPtx(*ptx);
  }

  void loadPtx(const std::string &ptx) {
    const Variant &variant = module.variant;
    int needed = getNeededCuda(variant.ptxMajor, variant.ptxMinor);
    if (driver.getVersion() < needed)
      fail(SPARSE_ATTN_OLD_DRIVER,
           "the driver is of CUDA " + printCudaVersion(driver.getVersion()) +
               ", and " + quote(variant.name) + " for " + variant.chip +
               " is PTX " + std::to_string(variant.ptxMajor) + "." +
               std::to_string(variant.ptxMinor) + ", which needs CUDA " +
               printCudaVersion(needed) +
               "; install a newer driver, or add a cubin to the package");
    char log[4096] = "";
    int options[] = {CU_JIT_ERROR_LOG_BUFFER,
                     CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void *values[] = {log, reinterpret_cast<void *>(sizeof(log) - 1)};
    CUresult result = driver.cuModuleLoadDataEx(
        &module.module, ptx.c_str(), std::size(options), options, values);
    if (result == CUDA_SUCCESS)
      return;
    module.module = nullptr;
    log[sizeof(log) - 1] = '\0';
    std::string what = "the driver refuses the PTX of " + quote(variant.name) +
                       " for " + variant.chip;
    driver.raise(result, *log ? what + " (" + log + ")" : what);
  }

  void readLimits() {
    for (int i = 0; i < 3; ++i)
      module.maxGrid[i] = driver.getAttribute(
          module.device, CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X + i);
    module.maxThreads = driver.getAttribute(
        module.device, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
    module.numMultiprocessors = driver.getAttribute(
        module.device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    module.hasMemoryPools =
        driver.cuMemAllocAsync && driver.cuMemFreeAsync &&
        driver.getAttribute(module.device,
                            CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED);
  }

  void addKernel(const Launch &launch) {
    CUfunction function = nullptr;
    driver.check(driver.cuModuleGetFunction(&function, module.module,
                                            launch.kernel.c_str()),
                 "kernel '" + launch.kernel + "' of " +
                     quote(module.variant.name));
    int staticBytes = 0;
    driver.check(driver.cuFuncGetAttribute(&staticBytes,
                                           CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES,
                                           function),
                 "cuFuncGetAttribute");
    int64_t most = driver.getAttribute(
        module.device, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
    int64_t available = most - staticBytes;
    int64_t wanted = launch.sharedBytes.asConstant().value_or(available);
    if (wanted > available || wanted < 0)
      fail(SPARSE_ATTN_WRONG_CHIP,
           "kernel '" + launch.kernel + "' of " + quote(module.variant.name) +
               " needs " + std::to_string(wanted) +
               " bytes of shared memory, this device has " +
               std::to_string(available) +
               " for it; compile the function for this chip, with smaller "
               "tiles or fewer stages");
    module.kernels.push_back(function);
    module.maxShared.push_back(wanted);
  }

  /// Unasked, a driver allows 48 KiB less what a kernel has statically.
  /// Launches may share a kernel, whose limit must do for all.
  void raiseSharedLimits() {
    std::map<CUfunction, int64_t> limits;
    for (size_t i = 0; i < module.kernels.size(); ++i) {
      int64_t &limit = limits[module.kernels[i]];
      limit = std::max(limit, module.maxShared[i]);
    }
    for (auto [function, limit] : limits)
      if (limit > 0)
        driver.check(driver.cuFuncSetAttribute(
                         function,
                         CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                         static_cast<int>(limit)),
                     "cannot raise the limit of shared memory to " +
                         std::to_string(limit) + " bytes");
  }

  Module &module;
  const Driver &driver;
  bool isExactChip;
};
} // namespace

static std::string describeDevice(const Driver &driver, CUdevice device,
                                  int capability) {
  char name[256] = "";
  driver.cuDeviceGetName(name, sizeof(name) - 1, device);
  std::string text = "device " + std::to_string(device);
  if (*name)
    text += std::string(" (") + name + ")";
  return text + " has compute capability " + std::to_string(capability / 10) +
         "." + std::to_string(capability % 10);
}

static bool runsOn(const Variant &variant, int capability) {
  if (variant.isHost)
    return false;
  bool isExact = variant.capability == capability;
  if (variant.findCode("cubin") && isExact)
    return true;
  return variant.findCode("ptx") &&
         (isExact ||
          (!variant.thisChipOnly && variant.capability < capability));
}

/// Names the newest chip, of those that sparse-attn-compile knows, whose code
/// the device runs.
static std::string adviseTarget(int capability) {
  static constexpr int kChips[] = {80, 86, 89, 90, 100, 120};
  const int *next =
      std::upper_bound(std::begin(kChips), std::end(kChips), capability);
  if (next == std::begin(kChips))
    return "kernels run from compute capability 8.0 on: use another device, or "
           "the host";
  return "compile it with --target=sm_" + std::to_string(next[-1]) + " as well";
}

/// Newer code is better, and code for one chip only best on it.
static Choice chooseVariant(const Driver &driver,
                            const SparseAttnFunction &function,
                            CUdevice device) {
  int capability = driver.getCapability(device);
  Choice best;
  std::string chips;
  for (size_t i = 0; i < function.variants.size(); ++i) {
    const Variant &variant = *function.variants[i];
    bool hasCode =
        variant.isHost || variant.findCode("cubin") || variant.findCode("ptx");
    chips += (i ? ", " : "") + variant.chip;
    chips += hasCode ? "" : " (without PTX and cubin in the package)";
    auto rank = [](const Variant &v) {
      return std::pair(v.capability, v.thisChipOnly);
    };
    if (runsOn(variant, capability) &&
        (!best.variant || rank(*best.variant) < rank(variant)))
      best = {&variant, static_cast<int32_t>(i),
              variant.capability == capability};
  }
  if (!best.variant)
    fail(SPARSE_ATTN_WRONG_CHIP, describeDevice(driver, device, capability) +
                                     ", and " + quote(function.name) +
                                     " has code for " + chips + " only; " +
                                     adviseTarget(capability));
  return best;
}

std::shared_ptr<const Module>
sparse_attn::runtime::loadModule(const std::shared_ptr<Driver> &sharedDriver,
                                 const SparseAttnFunction &function,
                                 int32_t number) {
  Driver &driver = *sharedDriver;
  CUdevice device = 0;
  CUcontext context = nullptr;
  if (number == SPARSE_ATTN_CURRENT_CONTEXT) {
    driver.check(driver.cuCtxGetCurrent(&context), "cuCtxGetCurrent");
    if (!context)
      fail(SPARSE_ATTN_INVALID_ARGUMENT,
           "the calling thread has no current context; make one current, or "
           "give a device's number");
    driver.check(driver.cuCtxGetDevice(&device), "cuCtxGetDevice");
  } else {
    device = driver.getDevice(number);
  }
  Choice choice = chooseVariant(driver, function, device);

  auto module = std::make_shared<Module>(
      sharedDriver, function.package->shared_from_this(), *choice.variant);
  module->variantIndex = choice.index;
  module->device = device;
  if (!context) {
    driver.check(driver.cuDevicePrimaryCtxRetain(&context, device),
                 "device " + std::to_string(device) + " gives no context");
    module->hasPrimaryContext = true;
  }
  module->context = context;

  std::lock_guard<std::mutex> lock(driver.mutex);
  for (auto it = driver.modules.begin(); it != driver.modules.end();)
    it = it->second.expired() ? driver.modules.erase(it) : std::next(it);
  std::weak_ptr<Module> &known = driver.modules[{context, choice.variant}];
  if (std::shared_ptr<Module> shared = known.lock())
    return shared;
  Loader(*module, choice.isExactChip).load();
  known = module;
  return module;
}

Module::~Module() {
  if (module) {
    CUcontext popped = nullptr;
    bool isPushed = driver->cuCtxPushCurrent_v2(context) == CUDA_SUCCESS;
    driver->cuModuleUnload(module);
    if (isPushed)
      driver->cuCtxPopCurrent_v2(&popped);
  }
  if (hasPrimaryContext)
    driver->cuDevicePrimaryCtxRelease_v2(device);
}
