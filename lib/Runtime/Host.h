//===- Host.h - A function's code for the host ------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_RUNTIME_HOST_H
#define SPARSEATTN_LIB_RUNTIME_HOST_H

#include "Package.h"

namespace sparse_attn::runtime {

struct LaunchRequest;

/// A shared object of a package, loaded into this process until this ends.
struct HostModule {
  HostModule(std::shared_ptr<const PackageData> package, const Variant &variant)
      : package(std::move(package)), variant(variant) {}
  ~HostModule();
  HostModule(const HostModule &) = delete;
  HostModule &operator=(const HostModule &) = delete;

  std::shared_ptr<const PackageData> package;
  const Variant &variant;
  int32_t variantIndex = 0;
  /// Open as long as the library is: the loader knows libraries by their names,
  /// and a later file could get this one's.
  int file = -1;
  void *library = nullptr;
  /// Takes the memref descriptors of all arguments, then of the results that
  /// have memory of their own.
  void (*entry)(void **descriptors) = nullptr;
};

/// The best code that this processor runs. Throws WRONG_CHIP, INVALID_CODE,
/// OUT_OF_MEMORY.
std::shared_ptr<const HostModule>
loadHostModule(const SparseAttnFunction &function);

/// Returns when the results are there.
void run(const HostModule &module, const LaunchRequest &request);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_HOST_H
