//===- CudaDoubleKernels.h - Kernels that the double runs -------*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_RUNTIME_CUDADOUBLEKERNELS_H
#define SPARSEATTN_TEST_UNIT_RUNTIME_CUDADOUBLEKERNELS_H

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace cuda_double {
struct Launch;

/// The host code of a module, as sparse-attn-compile --emulator-objects has
/// written it.
class Kernels {
public:
  /// The code for this PTX in `directory`; null, and why in `error`, where
  /// there is none.
  static std::unique_ptr<Kernels> load(const std::string &directory,
                                       const std::string &ptx,
                                       std::string &error);
  virtual ~Kernels() = default;
  virtual bool has(const std::string &kernel) const = 0;
  /// Runs a launch to its end. What goes wrong is in getEmulatorReport.
  virtual void run(const Launch &launch) const = 0;
};

// The emulator's session, which all devices share: forgotten by the next start.
void startEmulator(uint64_t seed);
void *allocateEmulated(uint64_t bytes);
void freeEmulated(void *memory);
void addEmulated(void *memory, uint64_t bytes);
void removeEmulated(void *memory);
/// Empty where nothing went wrong since the start.
std::string getEmulatorReport();

} // namespace cuda_double

#endif // SPARSEATTN_TEST_UNIT_RUNTIME_CUDADOUBLEKERNELS_H
