//===- Interface.cpp - The C interface ------------------------------------===//
//
// Checks pointers, and turns errors into codes and messages (Guard.h).
//
//===----------------------------------------------------------------------===//

#include "Binding.h"
#include "Choice.h"
#include "Guard.h"
#include "LaunchVariant.h"
#include <cstdio>
#include <cstdlib>

using namespace sparse_attn::runtime;

/// The size is fixed, as memory may be what there is none of.
static thread_local char lastError[4096];

SparseAttnStatus sparse_attn::runtime::setError(SparseAttnStatus status,
                                                const char *message) {
  std::snprintf(lastError, sizeof(lastError), "%s", message);
  return status;
}

static size_t needIndex(int32_t index, size_t count, const char *name) {
  if (index < 0 || size_t(index) >= count)
    fail(SPARSE_ATTN_INVALID_ARGUMENT, "there is no " + std::string(name) +
                                           " " + std::to_string(index) +
                                           ", of " + std::to_string(count));
  return index;
}

const char *sparseAttnGetStatusName(SparseAttnStatus status) {
  static constexpr const char *kNames[] = {
      "SUCCESS",         "INVALID_ARGUMENT", "FILE_ERROR",    "CORRUPT_PACKAGE",
      "UNKNOWN_SCHEMA",  "NOT_FOUND",        "WRONG_TYPE",    "WRONG_SHAPE",
      "WRONG_STRIDES",   "MISALIGNED",       "TOO_LARGE",     "WRONG_DEVICE",
      "SMALL_WORKSPACE", "NO_DRIVER",        "OLD_DRIVER",    "NO_DEVICE",
      "WRONG_CHIP",      "INVALID_CODE",     "OUT_OF_MEMORY", "DRIVER_ERROR",
      "AMBIGUOUS"};
  auto index = static_cast<size_t>(status);
  return index < std::size(kNames) ? kNames[index] : "unknown status";
}

const char *sparseAttnGetLastError(void) { return lastError; }

int32_t sparseAttnGetInterfaceVersion(void) {
  return SPARSE_ATTN_INTERFACE_VERSION;
}

//===----------------------------------------------------------------------===//
// Packages
//===----------------------------------------------------------------------===//

SparseAttnStatus sparseAttnPackageOpen(const char *directory,
                                       SparseAttnPackage **package) {
  return guard([&] {
    need(directory, "directory");
    need(package, "package");
    *package = new SparseAttnPackage{openPackage(directory)};
  });
}

const char *sparseAttnPackageGetSha256(const SparseAttnPackage *package) {
  return package ? package->data->sha256.c_str() : nullptr;
}

void sparseAttnPackageClose(SparseAttnPackage *package) { delete package; }

int32_t sparseAttnPackageGetNumFunctions(const SparseAttnPackage *package) {
  return package ? static_cast<int32_t>(package->data->functions.size()) : 0;
}

const SparseAttnFunction *
sparseAttnPackageGetFunction(const SparseAttnPackage *package, int32_t index) {
  if (index < 0 || index >= sparseAttnPackageGetNumFunctions(package))
    return nullptr;
  return package->data->functions[index].get();
}

SparseAttnStatus
sparseAttnPackageGetFunctionNamed(const SparseAttnPackage *package,
                                  const char *name,
                                  const SparseAttnFunction **function) {
  return guard([&] {
    const PackageData &data = *need(package, "package").data;
    need(name, "name");
    need(function, "function");
    for (const auto &candidate : data.functions)
      if (candidate->name == name)
        return void(*function = candidate.get());
    fail(SPARSE_ATTN_NOT_FOUND, "the package has no function " + quote(name) +
                                    "; it has " + listNames(data));
  });
}

SparseAttnStatus sparseAttnPackageFindFunction(
    const SparseAttnPackage *package, const SparseAttnTensor *arguments,
    int32_t numArguments, const SparseAttnFunction **function) {
  return guard([&] {
    const PackageData &data = *need(package, "package").data;
    need(function, "function");
    *function = &chooseFunction(data, arguments, numArguments);
  });
}

const char *sparseAttnFunctionGetName(const SparseAttnFunction *function) {
  return function ? function->name.c_str() : nullptr;
}

int32_t sparseAttnFunctionGetNumArguments(const SparseAttnFunction *function) {
  return function ? static_cast<int32_t>(function->interface().arguments.size())
                  : 0;
}

int32_t sparseAttnFunctionGetNumResults(const SparseAttnFunction *function) {
  return function ? static_cast<int32_t>(function->interface().results.size())
                  : 0;
}

static SparseAttnTensorInfo describe(const TensorSpec &tensor) {
  SparseAttnTensorInfo info = {};
  info.type = tensor.type;
  info.rank = static_cast<int32_t>(tensor.shape.size());
  info.shape = tensor.staticShape.data();
  info.sizes = tensor.sizeTexts.data();
  info.roles = tensor.roleTexts.data();
  info.numRoles = static_cast<int32_t>(tensor.roles.size());
  info.inArgument = info.inResult = -1;
  return info;
}

SparseAttnStatus
sparseAttnFunctionGetArgument(const SparseAttnFunction *function, int32_t index,
                              SparseAttnTensorInfo *info) {
  return guard([&] {
    const auto &arguments = need(function, "function").interface().arguments;
    need(info, "info");
    *info = describe(arguments[needIndex(index, arguments.size(), "argument")]);
  });
}

SparseAttnStatus sparseAttnFunctionGetResult(const SparseAttnFunction *function,
                                             int32_t index,
                                             SparseAttnTensorInfo *info) {
  return guard([&] {
    const auto &results = need(function, "function").interface().results;
    need(info, "info");
    const TensorSpec &result =
        results[needIndex(index, results.size(), "result")];
    *info = describe(result);
    auto place = static_cast<int32_t>(result.buffer.index);
    if (result.buffer.kind == BufferRef::Kind::Argument)
      info->inArgument = place;
    else if (place != index)
      info->inResult = place;
  });
}

SparseAttnStatus sparseAttnFunctionGetResultShape(
    const SparseAttnFunction *function, const SparseAttnTensor *arguments,
    int32_t numArguments, int32_t result, int64_t *shape) {
  return guard([&] {
    const Variant &interface = need(function, "function").interface();
    size_t index = needIndex(result, interface.results.size(), "result");
    std::vector<int64_t> sizes = bindSizes(interface, arguments, numArguments);
    std::vector<int64_t> values;
    for (const Formula &size : interface.results[index].shape)
      values.push_back(size.evaluate(sizes));
    if (!values.empty())
      std::copy(values.begin(), values.end(), &need(shape, "shape"));
  });
}

int32_t sparseAttnFunctionGetNumVariants(const SparseAttnFunction *function) {
  return function ? static_cast<int32_t>(function->variants.size()) : 0;
}

const char *sparseAttnFunctionGetChip(const SparseAttnFunction *function,
                                      int32_t variant) {
  if (variant < 0 || variant >= sparseAttnFunctionGetNumVariants(function))
    return nullptr;
  return function->variants[variant]->chip.c_str();
}

int32_t sparseAttnFunctionGetNumLaunches(const SparseAttnFunction *function,
                                         int32_t variant) {
  if (variant < 0 || variant >= sparseAttnFunctionGetNumVariants(function))
    return 0;
  return static_cast<int32_t>(function->variants[variant]->getNumLaunches());
}

static const Variant &needVariant(const SparseAttnFunction *function,
                                  int32_t variant) {
  const auto &variants = need(function, "function").variants;
  return *variants[needIndex(variant, variants.size(), "variant")];
}

SparseAttnStatus sparseAttnFunctionGetLaunch(const SparseAttnFunction *function,
                                             int32_t variant,
                                             const SparseAttnTensor *arguments,
                                             int32_t numArguments,
                                             int32_t launch,
                                             SparseAttnLaunchInfo *info) {
  return guard([&] {
    const Variant &chosen = needVariant(function, variant);
    need(info, "info");
    size_t index = needIndex(launch, chosen.getNumLaunches(), "launch");
    std::vector<int64_t> values =
        withoutDevice(chosen, bindSizes(chosen, arguments, numArguments));
    *info = describeLaunch(chosen, index, values);
  });
}

SparseAttnStatus sparseAttnFunctionGetWorkspaceBytes(
    const SparseAttnFunction *function, int32_t variant,
    const SparseAttnTensor *arguments, int32_t numArguments, uint64_t *bytes) {
  return guard([&] {
    const Variant &chosen = needVariant(function, variant);
    need(bytes, "bytes");
    std::vector<int64_t> sizes = bindSizes(chosen, arguments, numArguments);
    *bytes = 0;
    if (chosen.isHost)
      return;
    std::vector<int64_t> values = withoutDevice(chosen, std::move(sizes));
    *bytes = getWorkspaceBytes(chooseLaunches(chosen, values), values);
  });
}

//===----------------------------------------------------------------------===//
// The driver and its memory
//===----------------------------------------------------------------------===//

SparseAttnStatus sparseAttnDriverOpen(const char *library,
                                      SparseAttnDriver **driver) {
  return guard([&] {
    need(driver, "driver");
    if (!library)
      library = std::getenv("SPARSE_ATTN_LIBCUDA");
    if (!library || !*library)
      library = "libcuda.so.1";
    *driver = new SparseAttnDriver{std::make_shared<Driver>(library)};
  });
}

void sparseAttnDriverClose(SparseAttnDriver *driver) { delete driver; }

SparseAttnStatus sparseAttnDriverGetNumDevices(const SparseAttnDriver *driver,
                                               int32_t *count) {
  return guard([&] {
    const Driver &opened = *need(driver, "driver").driver;
    need(count, "count");
    int found = 0;
    opened.check(opened.cuDeviceGetCount(&found), "cuDeviceGetCount");
    *count = found;
  });
}
