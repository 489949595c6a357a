//===- CudaDoubleC.cpp - The driver double for other languages ------------===//
//
// CudaDouble.h as plain C, for test/Python.
//
//===----------------------------------------------------------------------===//

#include "CudaDoubleState.h"
#include <sstream>

using namespace cuda_double;

/// As new, with that many devices of that compute capability.
EXPORT void cudaDoubleReset(int devices, int capability, int hasMemoryPools) {
  Device device;
  device.capability = capability;
  device.hasMemoryPools = hasMemoryPools != 0;
  reset(std::vector<Device>(devices, device));
}

EXPORT void cudaDoubleSetVersion(int version) { setVersion(version); }

EXPORT void cudaDoubleFailNext(const char *function, int error) {
  failNext(function, error);
}

EXPORT void cudaDoubleEmulate(const char *directory, uint64_t seed) {
  emulate(directory, seed);
}

/// What went wrong in a kernel; empty where nothing did.
EXPORT const char *cudaDoubleGetReport() {
  static thread_local std::string text;
  text = getReport();
  return text.c_str();
}

EXPORT void cudaDoubleAddMemory(uint64_t address, uint64_t bytes, int device) {
  addMemory(address, bytes, device);
}

EXPORT void cudaDoubleRemoveMemory(uint64_t address) { removeMemory(address); }

EXPORT uint64_t cudaDoubleAllocate(int device, uint64_t bytes) {
  return allocate(device, bytes);
}

EXPORT void *cudaDoubleMakeStream(int device, int isCapturing) {
  return makeStream(device, isCapturing != 0);
}

/// A line for each launch: kernel, device, stream, then the parameters. Valid
/// until the thread's next call.
EXPORT const char *cudaDoubleGetLaunches() {
  static thread_local std::string text;
  std::ostringstream os;
  for (const Launch &launch : getLaunches()) {
    os << launch.kernel << ' ' << launch.device << ' '
       << reinterpret_cast<uintptr_t>(launch.stream);
    for (const Parameter &parameter : launch.parameters)
      os << ' ' << parameter.value;
    os << '\n';
  }
  text = os.str();
  return text.c_str();
}

static std::string join(const std::vector<std::string> &lines) {
  std::string text;
  for (const std::string &line : lines)
    text += line + '\n';
  return text;
}

EXPORT const char *cudaDoubleGetViolations() {
  static thread_local std::string text;
  text = join(getViolations());
  return text.c_str();
}

EXPORT const char *cudaDoubleGetCalls() {
  static thread_local std::string text;
  text = join(getCalls());
  return text.c_str();
}

/// What the program has and has not given back.
EXPORT int cudaDoubleCountLeft() {
  Counts counts = getCounts();
  return counts.modules + counts.primaryContexts + counts.allocations +
         counts.contextDepth;
}
