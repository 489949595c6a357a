//===- CudaDouble.h - A CUDA driver for tests -------------------*- C++ -*-===//
//
// A libcuda of our own: knows devices, contexts, memory, modules and streams by
// name only, runs nothing, records every launch, and checks every call as a
// driver would, or more strictly. What only a wrong program does is a
// violation. Kernels and their parameters are read from the PTX itself.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TEST_UNIT_RUNTIME_CUDADOUBLE_H
#define SPARSEATTN_TEST_UNIT_RUNTIME_CUDADOUBLE_H

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace cuda_double {

struct Device {
  int capability = 90;
  int sharedPerBlock = 232448; ///< at most, asked for
  bool hasMemoryPools = true;
};

struct Parameter {
  int bits = 0; ///< as the PTX declares it
  uint64_t value = 0;
};

struct Launch {
  std::string kernel;
  std::array<unsigned, 3> grid, block;
  unsigned sharedBytes;
  void *stream;
  int device;
  std::vector<Parameter> parameters;
};

/// As new: these devices, a driver of CUDA 13.0, nothing recorded.
void reset(const std::vector<Device> &devices = {Device()});
void setVersion(int version);

/// From its `skip`+1-th call on, `function` gives that error, once.
void failNext(const std::string &function, int error, int skip = 0);

/// Memory of a device; `misalignment` bytes past a multiple of 256.
uint64_t allocate(int device, uint64_t bytes, uint64_t misalignment = 0);
/// Memory that is pinned, and managed memory.
uint64_t allocateHost(uint64_t bytes);
uint64_t allocateManaged(int device, uint64_t bytes);

/// A context beside the primary one, and making one current.
void *makeContext(int device);
void makeCurrent(void *context);
/// A stream of a device's primary context, or of the given one.
void *makeStream(int device, bool isCapturing = false);
void *makeStream(void *context);

std::vector<Launch> getLaunches();
/// What was called, in order, without arguments.
std::vector<std::string> getCalls();
void forgetCalls();
/// What a correct program never does, in words.
std::vector<std::string> getViolations();
/// The image that was loaded last.
std::string getLastImage();

struct Counts {
  int modules = 0; ///< loaded now
  int loads = 0, unloads = 0;
  int primaryContexts = 0; ///< retained now
  int allocations = 0;     ///< made by the program and not freed
  int contextDepth = 0;    ///< of the calling thread
};
Counts getCounts();

} // namespace cuda_double

#endif // SPARSEATTN_TEST_UNIT_RUNTIME_CUDADOUBLE_H
