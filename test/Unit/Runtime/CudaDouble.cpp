//===- CudaDouble.cpp - A CUDA driver for tests ---------------------------===//

#include "CudaDouble.h"
#include "../../../lib/Runtime/CudaDriver.h"
#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>

using namespace cuda_double;

struct CUctx_st {
  int device;
  bool isPrimary;
};
struct CUstream_st {
  CUcontext context;
  bool isCapturing;
};
struct CUfunc_st {
  std::string name;
  CUmodule module;
  std::vector<int> parameterBits;
  std::vector<bool> isPointer;
  int maxShared = 48 * 1024;
};
struct CUmod_st {
  CUcontext context;
  bool isLoaded = true;
  std::vector<std::unique_ptr<CUfunc_st>> functions;
};

namespace {
enum class Memory { Device, Host, Managed };
struct Allocation {
  uint64_t bytes;
  Memory kind;
  int device;
  bool isProgram; ///< made through the driver's interface
};
struct Failure {
  int error, skip;
};

/// Never freed before the next reset, so that late uses are seen.
struct State {
  std::vector<Device> devices;
  int version = 13000;
  bool isInitialized = false;
  std::map<std::string, Failure> failures;
  std::map<uint64_t, Allocation> memory;
  uint64_t nextAddress = uint64_t(0x7f) << 40;
  std::vector<std::unique_ptr<CUctx_st>> contexts;
  std::map<int, std::pair<CUcontext, int>> primaries; ///< and retain counts
  std::vector<std::unique_ptr<CUstream_st>> streams;
  std::vector<std::unique_ptr<CUmod_st>> modules;
  std::vector<Launch> launches;
  std::vector<std::string> calls, violations;
  std::string lastImage;
  Counts counts;
};
} // namespace

static std::mutex mutex;
static std::unique_ptr<State> state = std::make_unique<State>();
static thread_local std::vector<CUcontext> contextStack;

static constexpr int kNotInitialized = 3, kInvalidContext = 201,
                     kCaptureUnsupported = 900;

static CUresult violate(const std::string &what, CUresult result) {
  state->violations.push_back(what);
  return result;
}

static CUcontext current() {
  return contextStack.empty() ? nullptr : contextStack.back();
}

/// Records the call and gives the error injected for it.
static CUresult enter(const std::string &function) {
  state->calls.push_back(function);
  if (!state->isInitialized && function != "cuInit" &&
      function != "cuGetErrorName" && function != "cuGetErrorString")
    return violate(function + " before cuInit", kNotInitialized);
  auto it = state->failures.find(function);
  if (it == state->failures.end() || it->second.skip-- > 0)
    return CUDA_SUCCESS;
  int error = it->second.error;
  state->failures.erase(it);
  return error;
}

/// For calls that act on the current context.
static CUresult enterInContext(const std::string &function) {
  if (CUresult result = enter(function))
    return result;
  if (!current())
    return violate(function + " without a current context", kInvalidContext);
  return CUDA_SUCCESS;
}

//===----------------------------------------------------------------------===//
// For tests
//===----------------------------------------------------------------------===//

void cuda_double::reset(const std::vector<Device> &devices) {
  std::lock_guard<std::mutex> lock(mutex);
  state = std::make_unique<State>();
  state->devices = devices;
  contextStack.clear();
}

void cuda_double::setVersion(int version) {
  std::lock_guard<std::mutex> lock(mutex);
  state->version = version;
}

void cuda_double::failNext(const std::string &function, int error, int skip) {
  std::lock_guard<std::mutex> lock(mutex);
  state->failures[function] = {error, skip};
}

static uint64_t add(uint64_t bytes, Allocation allocation,
                    uint64_t misalignment = 0) {
  uint64_t address = state->nextAddress;
  allocation.bytes = bytes + misalignment;
  state->memory[address] = allocation;
  // With a gap, so that what is past the end is nobody's.
  state->nextAddress += (bytes + misalignment + 1023) / 256 * 256;
  return address + misalignment;
}

uint64_t cuda_double::allocate(int device, uint64_t bytes,
                               uint64_t misalignment) {
  std::lock_guard<std::mutex> lock(mutex);
  return add(bytes, {0, Memory::Device, device, false}, misalignment);
}

uint64_t cuda_double::allocateHost(uint64_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  return add(bytes, {0, Memory::Host, 0, false});
}

uint64_t cuda_double::allocateManaged(int device, uint64_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  return add(bytes, {0, Memory::Managed, device, false});
}

static CUcontext addContext(int device, bool isPrimary) {
  state->contexts.push_back(
      std::make_unique<CUctx_st>(CUctx_st{device, isPrimary}));
  return state->contexts.back().get();
}

/// The same at every retain, as the driver's.
static CUcontext getPrimary(int device) {
  auto &primary = state->primaries[device];
  if (!primary.first)
    primary.first = addContext(device, true);
  return primary.first;
}

void *cuda_double::makeContext(int device) {
  std::lock_guard<std::mutex> lock(mutex);
  return addContext(device, false);
}

void cuda_double::makeCurrent(void *context) {
  contextStack.push_back(static_cast<CUcontext>(context));
}

static void *addStream(CUcontext context, bool isCapturing) {
  state->streams.push_back(
      std::make_unique<CUstream_st>(CUstream_st{context, isCapturing}));
  return state->streams.back().get();
}

void *cuda_double::makeStream(int device, bool isCapturing) {
  std::lock_guard<std::mutex> lock(mutex);
  return addStream(getPrimary(device), isCapturing);
}

void *cuda_double::makeStream(void *context) {
  std::lock_guard<std::mutex> lock(mutex);
  return addStream(static_cast<CUcontext>(context), false);
}

std::vector<Launch> cuda_double::getLaunches() {
  std::lock_guard<std::mutex> lock(mutex);
  return state->launches;
}

std::vector<std::string> cuda_double::getCalls() {
  std::lock_guard<std::mutex> lock(mutex);
  return state->calls;
}

void cuda_double::forgetCalls() {
  std::lock_guard<std::mutex> lock(mutex);
  state->calls.clear();
}

std::vector<std::string> cuda_double::getViolations() {
  std::lock_guard<std::mutex> lock(mutex);
  return state->violations;
}

std::string cuda_double::getLastImage() {
  std::lock_guard<std::mutex> lock(mutex);
  return state->lastImage;
}

Counts cuda_double::getCounts() {
  std::lock_guard<std::mutex> lock(mutex);
  Counts counts = state->counts;
  for (const auto &[device, primary] : state->primaries)
    counts.primaryContexts += primary.second > 0;
  for (const auto &[address, allocation] : state->memory)
    counts.allocations += allocation.isProgram;
  for (const auto &module : state->modules)
    counts.modules += module->isLoaded;
  counts.contextDepth = static_cast<int>(contextStack.size());
  return counts;
}

//===----------------------------------------------------------------------===//
// Devices and contexts
//===----------------------------------------------------------------------===//

// What the runtime looks up.
#define EXPORT extern "C" __attribute__((visibility("default")))
#define LOCK std::lock_guard<std::mutex> lock(mutex)
#define ENTER(name)                                                            \
  LOCK;                                                                        \
  if (CUresult result = enter(name))                                           \
  return result
#define ENTER_IN_CONTEXT(name)                                                 \
  LOCK;                                                                        \
  if (CUresult result = enterInContext(name))                                  \
  return result

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

static bool isDevice(int device) {
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

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

/// The word that follows `key`.
static std::string getWord(const std::string &text, const std::string &key) {
  size_t at = text.find(key);
  if (at == std::string::npos)
    return "";
  std::string word;
  std::istringstream(text.substr(at + key.size(), 64)) >> word;
  return word;
}

/// Of `.visible .entry name(.param .u64 ..., .param .u32 ...)`.
static void readKernels(const std::string &ptx, CUmodule module) {
  const std::string key = ".visible .entry ";
  for (size_t at = ptx.find(key); at != std::string::npos;
       at = ptx.find(key, at + 1)) {
    size_t open = ptx.find('(', at), close = ptx.find(')', open);
    auto function = std::make_unique<CUfunc_st>();
    function->name = ptx.substr(at + key.size(), open - at - key.size());
    function->module = module;
    std::istringstream words(ptx.substr(open + 1, close - open - 1));
    for (std::string word; words >> word;) {
      if (word == ".param") {
        words >> word; // .u64, .b32
        function->parameterBits.push_back(std::stoi(word.substr(2)));
        function->isPointer.push_back(false);
      } else if (word == ".ptr") {
        function->isPointer.back() = true;
      }
    }
    module->functions.push_back(std::move(function));
  }
}

/// 0, or why PTX for this chip does not load here.
static CUresult checkPtx(const std::string &ptx, int capability) {
  std::string version = getWord(ptx, ".version "),
              chip = getWord(ptx, ".target ");
  if (version.empty() || chip.rfind("sm_", 0) != 0 ||
      ptx.find(".entry") == std::string::npos)
    return CUDA_ERROR_INVALID_PTX;
  bool isForOneChip = chip.find('a') != std::string::npos;
  int target = std::atoi(chip.c_str() + 3);
  bool runs = isForOneChip ? target == capability : target <= capability;
  return runs ? CUDA_SUCCESS : CUDA_ERROR_INVALID_PTX;
}

static void writeLog(unsigned count, const int *options, void **values) {
  char *log = nullptr;
  size_t size = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
      log = static_cast<char *>(values[i]);
    if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES)
      size = reinterpret_cast<size_t>(values[i]);
  }
  if (log && size > 0)
    std::strncpy(log, "ptxas fatal: not for this double", size);
}

/// A cubin here is "CUBIN sm_90a" and then PTX.
EXPORT CUresult cuModuleLoadDataEx(CUmodule *module, const void *image,
                                   unsigned count, int *options,
                                   void **values) {
  ENTER_IN_CONTEXT("cuModuleLoadDataEx");
  std::string text(static_cast<const char *>(image));
  int capability = state->devices[current()->device].capability;
  if (text.rfind("CUBIN ", 0) == 0) {
    if (std::atoi(getWord(text, "CUBIN ").c_str() + 3) != capability)
      return CUDA_ERROR_NO_BINARY_FOR_GPU;
  } else if (CUresult result = checkPtx(text, capability)) {
    writeLog(count, options, values);
    return result;
  }
  auto loaded = std::make_unique<CUmod_st>();
  loaded->context = current();
  readKernels(text, loaded.get());
  *module = loaded.get();
  state->modules.push_back(std::move(loaded));
  state->lastImage = text;
  ++state->counts.loads;
  return CUDA_SUCCESS;
}

/// Ours, loaded, and of the current context.
static bool isUsable(CUmodule module) {
  return std::any_of(state->modules.begin(), state->modules.end(),
                     [&](const auto &known) {
                       return known.get() == module && known->isLoaded &&
                              known->context == current();
                     });
}

EXPORT CUresult cuModuleUnload(CUmodule module) {
  ENTER_IN_CONTEXT("cuModuleUnload");
  if (!isUsable(module))
    return violate("a module is unloaded twice, or in another context",
                   CUDA_ERROR_INVALID_HANDLE);
  module->isLoaded = false;
  ++state->counts.unloads;
  return CUDA_SUCCESS;
}

EXPORT CUresult cuModuleGetFunction(CUfunction *function, CUmodule module,
                                    const char *name) {
  ENTER_IN_CONTEXT("cuModuleGetFunction");
  if (!isUsable(module))
    return violate("a function of no module", CUDA_ERROR_INVALID_HANDLE);
  for (const auto &known : module->functions)
    if (known->name == name) {
      *function = known.get();
      return CUDA_SUCCESS;
    }
  return CUDA_ERROR_NOT_FOUND;
}

EXPORT CUresult cuFuncGetAttribute(int *value, int attribute,
                                   CUfunction function) {
  ENTER_IN_CONTEXT("cuFuncGetAttribute");
  if (attribute != CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES)
    return violate("an unknown attribute of a function",
                   CUDA_ERROR_INVALID_VALUE);
  *value = 0;
  return CUDA_SUCCESS;
}

EXPORT CUresult cuFuncSetAttribute(CUfunction function, int attribute,
                                   int value) {
  ENTER_IN_CONTEXT("cuFuncSetAttribute");
  if (!isUsable(function->module) ||
      attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)
    return violate("an attribute that is not a function's",
                   CUDA_ERROR_INVALID_VALUE);
  if (value < 0 || value > state->devices[current()->device].sharedPerBlock)
    return CUDA_ERROR_INVALID_VALUE;
  function->maxShared = value;
  return CUDA_SUCCESS;
}

//===----------------------------------------------------------------------===//
// Memory and streams
//===----------------------------------------------------------------------===//

static const Allocation *findAllocation(uint64_t address) {
  auto it = state->memory.upper_bound(address);
  if (it == state->memory.begin())
    return nullptr;
  --it;
  bool isInside = address - it->first < std::max<uint64_t>(it->second.bytes, 1);
  return isInside ? &it->second : nullptr;
}

EXPORT CUresult cuPointerGetAttributes(unsigned count, int *attributes,
                                       void **values, CUdeviceptr address) {
  ENTER("cuPointerGetAttributes");
  const Allocation *found = findAllocation(address);
  for (unsigned i = 0; i < count; ++i) {
    if (attributes[i] == CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL)
      *static_cast<int *>(values[i]) = found ? found->device : -2;
    else if (attributes[i] == CU_POINTER_ATTRIBUTE_IS_MANAGED)
      *static_cast<unsigned *>(values[i]) =
          found && found->kind == Memory::Managed;
    else if (attributes[i] == CU_POINTER_ATTRIBUTE_MEMORY_TYPE)
      *static_cast<unsigned *>(values[i]) = !found ? 0
                                            : found->kind == Memory::Host
                                                ? CU_MEMORYTYPE_HOST
                                                : CU_MEMORYTYPE_DEVICE;
    else
      return violate("an unknown attribute of a pointer",
                     CUDA_ERROR_INVALID_VALUE);
  }
  return CUDA_SUCCESS;
}

static bool isAnyCapturing() {
  return std::any_of(state->streams.begin(), state->streams.end(),
                     [](const auto &stream) { return stream->isCapturing; });
}

/// The stream is alive and of the current context.
static CUresult checkStream(CUstream stream, const std::string &function) {
  if (!stream)
    return CUDA_SUCCESS;
  for (const auto &known : state->streams)
    if (known.get() == stream)
      return known->context == current() ? CUDA_SUCCESS
                                         : CUDA_ERROR_INVALID_HANDLE;
  return violate(function + " on no stream", CUDA_ERROR_INVALID_HANDLE);
}

static uint64_t addForProgram(size_t bytes) {
  return add(bytes, {0, Memory::Device, current()->device, true});
}

static CUresult release(CUdeviceptr address) {
  auto it = state->memory.find(address);
  if (it == state->memory.end() || !it->second.isProgram)
    return violate("memory is freed twice, or is not the program's",
                   CUDA_ERROR_INVALID_VALUE);
  state->memory.erase(it);
  return CUDA_SUCCESS;
}

EXPORT CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
  ENTER_IN_CONTEXT("cuMemAlloc");
  if (isAnyCapturing())
    return violate("cuMemAlloc while a stream is captured",
                   kCaptureUnsupported);
  *address = addForProgram(bytes);
  return CUDA_SUCCESS;
}

EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
  ENTER_IN_CONTEXT("cuMemFree");
  return release(address);
}

EXPORT CUresult cuMemAllocAsync(CUdeviceptr *address, size_t bytes,
                                CUstream stream) {
  ENTER_IN_CONTEXT("cuMemAllocAsync");
  if (!state->devices[current()->device].hasMemoryPools)
    return violate("cuMemAllocAsync without memory pools",
                   CUDA_ERROR_INVALID_VALUE);
  if (CUresult result = checkStream(stream, "cuMemAllocAsync"))
    return result;
  *address = addForProgram(bytes);
  return CUDA_SUCCESS;
}

EXPORT CUresult cuMemFreeAsync(CUdeviceptr address, CUstream stream) {
  ENTER_IN_CONTEXT("cuMemFreeAsync");
  if (CUresult result = checkStream(stream, "cuMemFreeAsync"))
    return result;
  return release(address);
}

EXPORT CUresult cuStreamIsCapturing(CUstream stream, int *isCapturing) {
  ENTER_IN_CONTEXT("cuStreamIsCapturing");
  if (CUresult result = checkStream(stream, "cuStreamIsCapturing"))
    return result;
  *isCapturing = stream && stream->isCapturing;
  return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamSynchronize(CUstream stream) {
  ENTER_IN_CONTEXT("cuStreamSynchronize");
  if (stream && stream->isCapturing)
    return violate("a stream is waited for while it is captured",
                   kCaptureUnsupported);
  return checkStream(stream, "cuStreamSynchronize");
}

/// As many bytes as the PTX declares.
static void readParameters(CUfunction function, void **parameters,
                           Launch &launch) {
  for (size_t i = 0; i < function->parameterBits.size(); ++i) {
    Parameter parameter;
    parameter.bits = function->parameterBits[i];
    std::memcpy(&parameter.value, parameters[i], parameter.bits / 8);
    launch.parameters.push_back(parameter);
  }
}

EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned gridX,
                               unsigned gridY, unsigned gridZ, unsigned blockX,
                               unsigned blockY, unsigned blockZ,
                               unsigned shared, CUstream stream,
                               void **parameters, void **extra) {
  ENTER_IN_CONTEXT("cuLaunchKernel");
  if (!isUsable(function->module))
    return violate("a launch of an unloaded module", CUDA_ERROR_INVALID_HANDLE);
  if (CUresult result = checkStream(stream, "cuLaunchKernel"))
    return result;
  uint64_t threads = uint64_t(blockX) * blockY * blockZ;
  if (!gridX || !gridY || !gridZ || gridX > 2147483647u || gridY > 65535 ||
      gridZ > 65535 || threads < 1 || threads > 1024)
    return violate("a launch with a grid or block that no device has",
                   CUDA_ERROR_INVALID_VALUE);
  if (shared > unsigned(function->maxShared))
    return violate(function->name + " takes " + std::to_string(shared) +
                       " bytes of shared memory, its limit is " +
                       std::to_string(function->maxShared),
                   CUDA_ERROR_INVALID_VALUE);
  if (!parameters || extra)
    return violate("a launch without parameters", CUDA_ERROR_INVALID_VALUE);
  Launch launch = {function->name,
                   {gridX, gridY, gridZ},
                   {blockX, blockY, blockZ},
                   shared,
                   stream,
                   current()->device,
                   {}};
  readParameters(function, parameters, launch);
  for (size_t i = 0; i < launch.parameters.size(); ++i)
    if (function->isPointer[i] && !findAllocation(launch.parameters[i].value))
      violate(function->name + " gets a pointer to nothing", 0);
  state->launches.push_back(std::move(launch));
  return CUDA_SUCCESS;
}
