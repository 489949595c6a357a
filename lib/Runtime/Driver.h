//===- Driver.h - The CUDA driver, opened at run time -----------*- C++ -*-===//
//
// Declares of the driver's interface what the runtime calls, under the names
// that the library exports. Numbers are those of CUDA's cuda.h, which never
// change.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_RUNTIME_DRIVER_H
#define SPARSEATTN_LIB_RUNTIME_DRIVER_H

#include "CudaDriver.h"
#include "SparseAttn/Runtime/SparseAttnRuntime.h"
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace sparse_attn::runtime {

struct Module;
struct Variant;

/// libcuda's functions. Calls are const: it synchronises itself.
class Driver {
public:
  /// Throws NO_DRIVER, OLD_DRIVER, NO_DEVICE.
  explicit Driver(const std::string &library);
  ~Driver();
  Driver(const Driver &) = delete;
  Driver &operator=(const Driver &) = delete;

#define X(name, parameters) CUresult(*name) parameters = nullptr;
  SPARSE_ATTN_CUDA_FUNCTIONS(X)
  SPARSE_ATTN_CUDA_OPTIONAL_FUNCTIONS(X)
#undef X

  /// Throws where `result` is not success: `what` is what failed.
  void check(CUresult result, const std::string &what) const {
    if (result != CUDA_SUCCESS)
      raise(result, what);
  }
  [[noreturn]] void raise(CUresult result, const std::string &what) const;

  int getAttribute(CUdevice device, int attribute) const;
  /// 90 for compute capability 9.0
  int getCapability(CUdevice device) const;
  CUdevice getDevice(int32_t number) const;
  /// 12040 for 12.4
  int getVersion() const { return version; }

  /// Held while a module is loaded.
  std::mutex mutex;
  std::map<std::pair<CUcontext, const Variant *>, std::weak_ptr<Module>>
      modules;

private:
  void *library = nullptr;
  int version = 0;
};

/// The context is current from here to the end of the scope. Nothing is pushed
/// where it is already, so that launching costs one call only.
class ContextScope {
public:
  ContextScope(const Driver &driver, CUcontext context);
  ~ContextScope();
  ContextScope(const ContextScope &) = delete;
  ContextScope &operator=(const ContextScope &) = delete;

private:
  const Driver &driver;
  bool isPushed = false;
};

/// "12.4"
std::string printCudaVersion(int version);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_DRIVER_H
