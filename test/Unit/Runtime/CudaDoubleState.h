//===- CudaDoubleState.h - What the driver double knows ---------*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_RUNTIME_CUDADOUBLESTATE_H
#define SPARSEATTN_TEST_UNIT_RUNTIME_CUDADOUBLESTATE_H

#include "../../../lib/Runtime/CudaDriver.h"
#include "CudaDouble.h"
#include "CudaDoubleKernels.h"
#include <map>
#include <memory>
#include <mutex>

struct CUctx_st {
  int device;
  bool isPrimary;
};
struct CUstream_st {
  CUcontext context;
  bool isCapturing;
  bool isDestroyed = false;
};
struct CUevent_st {
  CUcontext context;
  bool isDestroyed = false;
  double milliseconds = -1; ///< when it was recorded
};
struct CUfunc_st {
  std::string name;
  CUmodule module;
  std::vector<int> parameterBits;
  std::vector<bool> isPointer;
  int staticShared = 0;
  int maxShared = 48 * 1024; ///< of dynamic memory
};
struct CUmod_st {
  CUcontext context;
  bool isLoaded = true;
  std::vector<std::unique_ptr<CUfunc_st>> functions;
  std::unique_ptr<cuda_double::Kernels> kernels; ///< null: nothing runs
};

namespace cuda_double {
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
  std::vector<Device> devices = {Device()};
  int version = 13000;
  std::string kernels; ///< directory; empty: nothing runs
  uint64_t seed = 0;
  CUresult failed = CUDA_SUCCESS; ///< what a kernel has left
  bool isInitialized = false;
  std::map<std::string, Failure> failures;
  std::map<uint64_t, Allocation> memory;
  uint64_t nextAddress = uint64_t(0x7f) << 40;
  std::vector<std::unique_ptr<CUctx_st>> contexts;
  std::map<int, std::pair<CUcontext, int>> primaries; ///< and retain counts
  std::vector<std::unique_ptr<CUstream_st>> streams;
  std::vector<std::unique_ptr<CUmod_st>> modules;
  std::vector<std::unique_ptr<CUevent_st>> events;
  std::vector<Launch> launches;
  std::vector<std::string> calls, violations;
  std::string lastImage;
  Counts counts;
};

extern std::mutex mutex;
extern std::unique_ptr<State> state;
extern thread_local std::vector<CUcontext> contextStack;

constexpr int kNotInitialized = 3, kInvalidContext = 201, kLaunchFailed = 719,
              kCaptureUnsupported = 900;

CUresult violate(const std::string &what, CUresult result);
CUcontext current();
/// Records the call and gives the error injected for it.
CUresult enter(const std::string &function);
/// For calls that act on the current context.
CUresult enterInContext(const std::string &function);

bool isDevice(int device);
/// The same at every retain, as the driver's.
CUcontext getPrimary(int device);
uint64_t addMemory(uint64_t bytes, Allocation allocation,
                   uint64_t misalignment = 0);
const Allocation *findAllocation(uint64_t address);
/// The stream is alive and of the current context.
CUresult checkStream(CUstream stream, const std::string &function);
/// Ours, loaded, and of the current context.
bool isUsable(CUmodule module);
/// What cuTensorMapEncodeTiled has left in these 128 bytes; none where they are
/// 0. Others are a violation.
std::optional<TensorMap> decodeMap(const void *bytes);

} // namespace cuda_double

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

#endif // SPARSEATTN_TEST_UNIT_RUNTIME_CUDADOUBLESTATE_H
