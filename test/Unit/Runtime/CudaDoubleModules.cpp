//===- CudaDoubleModules.cpp - Modules and functions ----------------------===//

#include "CudaDoubleState.h"
#include <algorithm>
#include <cstring>
#include <sstream>

using namespace cuda_double;

/// The word that follows `key`.
static std::string getWord(const std::string &text, const std::string &key) {
  size_t at = text.find(key);
  if (at == std::string::npos)
    return "";
  std::string word;
  std::istringstream(text.substr(at + key.size(), 64)) >> word;
  return word;
}

/// Of the variables that a kernel's text names:
/// `.shared .align 8 .b8 name[152];`
static int countStaticShared(const std::string &ptx, const std::string &body) {
  const std::string key = "\n.shared .align ";
  int bytes = 0;
  for (size_t at = ptx.find(key); at != std::string::npos;
       at = ptx.find(key, at + 1)) {
    std::istringstream words(ptx.substr(at + key.size(), 512));
    std::string alignment, type, name;
    int size = 0;
    words >> alignment >> type;
    std::getline(words >> std::ws, name, '[') >> size;
    if (body.find(name) != std::string::npos)
      bytes += size;
  }
  return bytes;
}

/// Of `.visible .entry name(.param .u64 ..., .param .u32 ..., .param .align 64
/// .b8 map[128])`.
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
        int count = 1, alignment = 0;
        if (word == ".align") {
          std::string name;
          words >> alignment >> word;
          std::getline(words >> std::ws, name, '[') >> count;
        }
        function->parameterBits.push_back(std::stoi(word.substr(2)) * count);
        function->isPointer.push_back(false);
        if (count > 1 && (count != sizeof(CUtensorMap) || alignment != 64))
          violate(function->name + " takes an array that is no tensor map", 0);
      } else if (word == ".ptr") {
        function->isPointer.back() = true;
      }
    }
    size_t end = ptx.find(key, close);
    function->staticShared =
        countStaticShared(ptx, ptx.substr(close, end - close));
    // What a driver leaves to those that do not ask for more.
    function->maxShared -= function->staticShared;
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

static void writeLog(unsigned count, const int *options, void **values,
                     const std::string &text) {
  char *log = nullptr;
  size_t size = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
      log = static_cast<char *>(values[i]);
    if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES)
      size = reinterpret_cast<size_t>(values[i]);
  }
  if (log && size > 0)
    std::strncpy(log, text.c_str(), size);
}

/// The host code of the kernels, where launches are to run.
static CUresult loadKernels(const std::string &ptx, CUmodule module,
                            std::string &error) {
  if (state->kernels.empty())
    return CUDA_SUCCESS;
  module->kernels = Kernels::load(state->kernels, ptx, error);
  if (!module->kernels)
    return CUDA_ERROR_INVALID_PTX;
  for (const auto &function : module->functions)
    if (!module->kernels->has(function->name))
      return violate("no emulated kernel " + function->name,
                     CUDA_ERROR_INVALID_PTX);
  return CUDA_SUCCESS;
}

/// A cubin here is "CUBIN sm_90a" and then PTX.
EXPORT CUresult cuModuleLoadDataEx(CUmodule *module, const void *image,
                                   unsigned count, int *options,
                                   void **values) {
  ENTER_IN_CONTEXT("cuModuleLoadDataEx");
  std::string text(static_cast<const char *>(image)), ptx = text;
  int capability = state->devices[current()->device].capability;
  if (text.rfind("CUBIN ", 0) == 0) {
    if (std::atoi(getWord(text, "CUBIN ").c_str() + 3) != capability)
      return CUDA_ERROR_NO_BINARY_FOR_GPU;
    ptx = text.substr(text.find('\n') + 1);
  } else if (text.rfind("\x7f"
                        "ELF",
                        0) == 0) {
    return CUDA_ERROR_NO_BINARY_FOR_GPU;
  } else if (CUresult result = checkPtx(text, capability)) {
    writeLog(count, options, values, "ptxas fatal: not for this double");
    return result;
  }
  auto loaded = std::make_unique<CUmod_st>();
  loaded->context = current();
  readKernels(text, loaded.get());
  std::string error;
  if (CUresult result = loadKernels(ptx, loaded.get(), error)) {
    writeLog(count, options, values, error);
    return result;
  }
  *module = loaded.get();
  state->modules.push_back(std::move(loaded));
  state->lastImage = text;
  ++state->counts.loads;
  return CUDA_SUCCESS;
}

bool cuda_double::isUsable(CUmodule module) {
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
  module->kernels.reset();
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
  *value = function->staticShared;
  return CUDA_SUCCESS;
}

EXPORT CUresult cuFuncSetAttribute(CUfunction function, int attribute,
                                   int value) {
  ENTER_IN_CONTEXT("cuFuncSetAttribute");
  if (!isUsable(function->module) ||
      attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)
    return violate("an attribute that is not a function's",
                   CUDA_ERROR_INVALID_VALUE);
  if (value < 0 || value + function->staticShared >
                       state->devices[current()->device].sharedPerBlock)
    return CUDA_ERROR_INVALID_VALUE;
  function->maxShared = value;
  return CUDA_SUCCESS;
}
