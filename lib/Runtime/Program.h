//===- Program.h - A function loaded on a device ----------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_RUNTIME_PROGRAM_H
#define SPARSEATTN_LIB_RUNTIME_PROGRAM_H

#include "Driver.h"
#include "Package.h"

namespace sparse_attn::runtime {

/// A variant in a context. Holds what it needs; unloads when the last program
/// that shares it ends.
struct Module {
  Module(std::shared_ptr<Driver> driver,
         std::shared_ptr<const PackageData> package, const Variant &variant)
      : driver(std::move(driver)), package(std::move(package)),
        variant(variant) {}
  ~Module();
  Module(const Module &) = delete;
  Module &operator=(const Module &) = delete;

  std::shared_ptr<Driver> driver;
  std::shared_ptr<const PackageData> package;
  const Variant &variant;
  int32_t variantIndex = 0;
  CUdevice device = 0;
  CUcontext context = nullptr;
  bool hasPrimaryContext = false; ///< retained here, to be released
  CUmodule module = nullptr;
  bool isCubin = false;
  /// Of each launch of each launch variant.
  std::vector<CUfunction> kernels;
  /// What the device allows.
  std::array<int64_t, 3> maxGrid = {};
  int64_t maxThreads = 0;
  int64_t numMultiprocessors = 0;
  bool hasMemoryPools = false;
  std::vector<int64_t> maxShared; ///< dynamic, of each of these launches
};

/// Throws NO_DEVICE, WRONG_CHIP, OLD_DRIVER, INVALID_CODE, OUT_OF_MEMORY, ...
std::shared_ptr<const Module> loadModule(const std::shared_ptr<Driver> &driver,
                                         const SparseAttnFunction &function,
                                         int32_t device);

/// Tensors and where a launch goes.
struct LaunchRequest {
  const SparseAttnTensor *arguments;
  int32_t numArguments;
  const SparseAttnTensor *results;
  int32_t numResults;
  CUdeviceptr workspace;
  uint64_t workspaceBytes;
  CUstream stream;
  /// Recorded just before the first launch and just after the last, where
  /// given.
  CUevent start, end;
};

/// Returns whether there was anything to launch.
bool launch(const Module &module, const LaunchRequest &request);

/// Launches and waits; the seconds between two events around the launches, so
/// without the checks before them.
double time(const Module &module, const LaunchRequest &request);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_PROGRAM_H
