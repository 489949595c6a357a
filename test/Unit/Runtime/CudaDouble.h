//===- CudaDouble.h - A CUDA driver for tests -------------------*- C++ -*-===//
//
// A libcuda of our own: checks every call as a driver would, or more strictly,
// and records every launch. What only a wrong program does is a violation.
// Kernels and their parameters are read from the PTX itself.
//
// Without a directory of kernels, memory is addresses only and nothing runs.
// With one, memory is the host's, and the emulator runs each launch when it is
// made, except on a stream that is captured. As on a GPU, an error of a kernel
// is what later calls return.
//
// A program that just opens the library sets it up by variables:
//   SPARSE_ATTN_DOUBLE_KERNELS  directory of --emulator-objects
//   SPARSE_ATTN_DOUBLE_SEED     seed of the schedule, 0
//   SPARSE_ATTN_DOUBLE_DEVICES  compute capabilities, as in 80,90; 90
//   SPARSE_ATTN_DOUBLE_VERSION  of CUDA, 13000
//   SPARSE_ATTN_DOUBLE_FAIL     errors to give, as in cuMemAlloc:2,cuInit:999
// Violations and reports of the emulator go to the standard error as well.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TEST_UNIT_RUNTIME_CUDADOUBLE_H
#define SPARSEATTN_TEST_UNIT_RUNTIME_CUDADOUBLE_H

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cuda_double {

struct Device {
  int capability = 90;
  int sharedPerBlock = 232448; ///< at most, asked for
  bool hasMemoryPools = true;
  int multiprocessors = 132;
};

/// What cuTensorMapEncodeTiled was given, as the double finds it in a kernel's
/// parameter.
struct TensorMap {
  int type = 0, swizzle = 0;
  uint32_t rank = 0;
  uint64_t address = 0;
  std::array<uint64_t, 5> sizes = {};
  std::array<uint64_t, 4> strides = {}; ///< bytes
  std::array<uint32_t, 5> box = {};
};

struct Parameter {
  int bits = 0; ///< as the PTX declares it
  uint64_t value = 0;
  /// Of a parameter of 128 bytes that are not all 0.
  std::optional<TensorMap> map;
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

/// Runs launches from now on, with memory that is allocated from now on.
void emulate(const std::string &directory, uint64_t seed = 0);
/// What went wrong in a kernel; empty where nothing did.
std::string getReport();

/// Memory of a device; `misalignment` bytes past a multiple of 256.
uint64_t allocate(int device, uint64_t bytes, uint64_t misalignment = 0);
/// Memory of the host that serves as a device's until it is taken back.
void addMemory(uint64_t address, uint64_t bytes, int device);
void removeMemory(uint64_t address);
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
  int events = 0;          ///< created and not destroyed
  int contextDepth = 0;    ///< of the calling thread
};
Counts getCounts();

} // namespace cuda_double

#endif // SPARSEATTN_TEST_UNIT_RUNTIME_CUDADOUBLE_H
