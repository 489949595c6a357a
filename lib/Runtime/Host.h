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

/// The lowest level of x86-64 that sparse-attn-compile makes code for.
inline constexpr int kLowestLevel = 3;
/// What to do where a function has no code for a processor of this level, which
/// is 0 where it is none of x86-64.
inline std::string adviseTarget(int level) {
  if (level >= kLowestLevel)
    return "compile it with --target=x86-64-v" + std::to_string(level) +
           " as well";
  return "sparse-attn-compile makes host code for processors from x86-64-v" +
         std::to_string(kLowestLevel) + " on: use another, or a GPU";
}

/// The best code that this processor runs. Throws WRONG_CHIP, INVALID_CODE,
/// OUT_OF_MEMORY.
std::shared_ptr<const HostModule>
loadHostModule(const SparseAttnFunction &function);

/// Returns when the results are there.
void run(const HostModule &module, const LaunchRequest &request);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_HOST_H
