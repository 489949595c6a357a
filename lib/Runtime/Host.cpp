//===- Host.cpp - Code for the host: loading and calling it ---------------===//

#include "Host.h"
#include "Binding.h"
#include "Error.h"
#include "Placement.h"
#include "Program.h"
#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace sparse_attn::runtime;

/// 1 for x86-64 to 4 for x86-64-v4; 0 for anything else.
static int getLevel(const std::string &cpu) {
  static constexpr const char *kLevels[] = {"x86-64", "x86-64-v2", "x86-64-v3",
                                            "x86-64-v4"};
  for (size_t i = 0; i < std::size(kLevels); ++i)
    if (cpu == kLevels[i])
      return static_cast<int>(i) + 1;
  return 0;
}

/// The highest level that this processor and its system have.
static int getHostLevel() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4"))
    return 4;
  if (__builtin_cpu_supports("x86-64-v3"))
    return 3;
  if (__builtin_cpu_supports("x86-64-v2"))
    return 2;
  return 1;
#else
  return 0;
#endif
}

static const Variant &chooseVariant(const SparseAttnFunction &function,
                                    int32_t &index) {
  const Variant *best = nullptr;
  std::string chips;
  int host = getHostLevel();
  for (size_t i = 0; i < function.variants.size(); ++i) {
    const Variant &variant = *function.variants[i];
    chips += (i ? ", " : "") + variant.chip;
    int level = variant.isHost ? getLevel(variant.chip) : 0;
    if (level == 0 || level > host || !variant.findCode("host") ||
        (best && getLevel(best->chip) > level))
      continue;
    best = &variant;
    index = static_cast<int32_t>(i);
  }
  if (best)
    return *best;
  fail(SPARSE_ATTN_WRONG_CHIP, quote(function.name) + " has code for " + chips +
                                   ", none of which this processor runs; " +
                                   adviseTarget(host));
}

/// The very bytes that were checked: the file may have changed since.
static int writeToMemory(const Variant &variant, const std::string &code) {
  auto check = [&](bool isGood) {
    if (!isGood)
      fail(SPARSE_ATTN_OUT_OF_MEMORY, "no memory for the code of " +
                                          quote(variant.name) + ": " +
                                          std::strerror(errno));
  };
  int file = memfd_create("sparse-attn", MFD_CLOEXEC);
  check(file >= 0);
  for (size_t written = 0; written < code.size();) {
    ssize_t count = write(file, code.data() + written, code.size() - written);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0) {
      int reason = errno;
      close(file);
      errno = reason;
    }
    check(count >= 0);
    written += static_cast<size_t>(count);
  }
  return file;
}

std::shared_ptr<const HostModule>
sparse_attn::runtime::loadHostModule(const SparseAttnFunction &function) {
  int32_t index = 0;
  const Variant &variant = chooseVariant(function, index);
  auto module = std::make_shared<HostModule>(
      function.package->shared_from_this(), variant);
  module->variantIndex = index;
  module->file = writeToMemory(variant, *variant.findCode("host"));
  std::string path = "/proc/self/fd/" + std::to_string(module->file);
  module->library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void *entry =
      module->library ? dlsym(module->library, variant.entry.c_str()) : nullptr;
  if (!entry) {
    const char *reason = dlerror();
    fail(SPARSE_ATTN_INVALID_CODE,
         "the code of " + quote(variant.name) + " for " + variant.chip +
             " cannot be loaded: " +
             (reason ? reason : "its entry is at address 0") +
             "; install the library that is missing, or write the package "
             "anew with sparse-attn-compile");
  }
  module->entry = reinterpret_cast<void (*)(void **)>(entry);
  return module;
}

HostModule::~HostModule() {
  if (library)
    dlclose(library);
  if (file >= 0)
    close(file);
}

/// A memref descriptor as MLIR's C interface passes it: allocated and aligned
/// pointer, offset, sizes, strides, all of 8 bytes.
static void addDescriptor(CallTensor tensor, std::vector<int64_t> &fields) {
  auto data = static_cast<int64_t>(tensor.getData());
  fields.insert(fields.end(), {data, data, 0});
  for (size_t i = 0; i < tensor.getRank(); ++i)
    fields.push_back(tensor.getSize(i));
  for (size_t i = 0; i < tensor.getRank(); ++i)
    fields.push_back(tensor.getStride(i));
}

void sparse_attn::runtime::run(const HostModule &module,
                               const LaunchRequest &request) {
  const Variant &variant = module.variant;
  std::vector<int64_t> sizes =
      bindSizes(variant, request.arguments, request.numArguments);
  checkResults(variant, sizes, request.arguments, request.results,
               request.numResults);
  checkPlacement(variant, request.arguments, request.results, Workspace());
  if (request.stream)
    fail(SPARSE_ATTN_INVALID_ARGUMENT,
         "a stream is given, and " + quote(variant.name) +
             " is loaded for the host, which has none; give null");
  std::vector<int64_t> fields;
  std::vector<size_t> starts;
  auto add = [&](const TensorSpec &spec, const SparseAttnTensor &tensor) {
    starts.push_back(fields.size());
    addDescriptor({spec, tensor}, fields);
  };
  for (size_t i = 0; i < variant.arguments.size(); ++i)
    add(variant.arguments[i], request.arguments[i]);
  for (size_t i = 0; i < variant.results.size(); ++i)
    if (variant.hasOwnMemory(i))
      add(variant.results[i], request.results[i]);
  std::vector<void *> descriptors;
  for (size_t start : starts)
    descriptors.push_back(fields.data() + start);
  module.entry(descriptors.data());
}
