//===- EmulatedKernel.h - Kernels written in C++ for tests ------*- C++ -*-===//
//
// A kernel is a callable that each thread runs and that calls the runtime as
// compiled code does. It must own nothing: an error abandons its stack.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_UNITTESTS_EMULATEDKERNEL_H
#define SPARSEATTN_UNITTESTS_EMULATEDKERNEL_H

#include "SparseAttn/Emulator/Runtime.h"
#include "gtest/gtest.h"
#include <array>
#include <functional>

namespace mlir::sparse_attn::emulator {

// Operations that reports name "first", "second" and "third".
constexpr char kOperations[] = "first\0second\0third";
constexpr int32_t kFirst = 0, kSecond = 6, kThird = 13;

struct Shape {
  int64_t blocks = 1;
  int64_t threads = 32;
  int64_t dynamicShared = 0;
  std::vector<SharedVariable> shared = {{SharedVariable::kDynamic, 16}};
  int64_t maxThreads = 0;
};

/// Launches `kernel` in the running session.
inline void launch(const Shape &shape, const std::function<void()> &kernel) {
  KernelDescriptor descriptor{
      "kernel",
      [](void *body) { (*static_cast<const std::function<void()> *>(body))(); },
      kOperations,
      shape.shared.data(),
      static_cast<int64_t>(shape.shared.size()),
      shape.maxThreads};
  sparse_attn_emu_launch(&descriptor, shape.blocks, 1, 1, shape.threads, 1, 1,
                         shape.dynamicShared,
                         const_cast<std::function<void()> *>(&kernel));
}

/// The report of one launch in a session of its own; empty if there is none.
inline std::string run(const Shape &shape, uint64_t seed,
                       const std::function<void()> &kernel) {
  startSession(seed);
  launch(shape, kernel);
  return getReport().value_or("");
}

using Parts = std::vector<std::string>;

/// Whether a report has all, or one, of these parts.
inline testing::AssertionResult hasAll(const std::string &report,
                                       const Parts &parts) {
  for (const std::string &part : parts)
    if (report.find(part) == std::string::npos)
      return testing::AssertionFailure()
             << "'" << part << "' is not in '" << report << "'";
  return testing::AssertionSuccess();
}
inline testing::AssertionResult hasOne(const std::string &report,
                                       const Parts &parts) {
  for (const std::string &part : parts)
    if (report.find(part) != std::string::npos)
      return testing::AssertionSuccess();
  return testing::AssertionFailure() << "unexpected '" << report << "'";
}

/// Checks what a launch reports under several seeds.
inline void expectReport(const Shape &shape, const std::string &text,
                         const std::function<void()> &kernel) {
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_TRUE(hasAll(run(shape, seed, kernel), {text})) << "seed " << seed;
}

inline void expectNoReport(const Shape &shape,
                           const std::function<void()> &kernel) {
  for (uint64_t seed = 0; seed < 8; ++seed)
    EXPECT_EQ(run(shape, seed, kernel), "") << "seed " << seed;
}

inline int32_t threadIndex() {
  return sparse_attn_emu_special_register(
      static_cast<int32_t>(SpecialRegister::TidX));
}
inline int32_t blockIndex() {
  return sparse_attn_emu_special_register(
      static_cast<int32_t>(SpecialRegister::CtaidX));
}

inline char *sharedMemory() {
  return static_cast<char *>(sparse_attn_emu_shared(0));
}

template <typename T>
T loadShared(const void *address, int32_t operation = kFirst) {
  sparse_attn_emu_access_shared(address, sizeof(T), alignof(T), kRead,
                                operation);
  return *static_cast<const T *>(address);
}

template <typename T>
void storeShared(void *address, T value, int32_t operation = kFirst) {
  sparse_attn_emu_access_shared(address, sizeof(T), alignof(T), kWrite,
                                operation);
  *static_cast<T *>(address) = value;
}

template <typename T>
T loadGlobal(const T *address, int32_t operation = kFirst) {
  sparse_attn_emu_access_global(address, sizeof(T), alignof(T), kRead,
                                operation);
  return *address;
}

template <typename T>
void storeGlobal(T *address, T value, int32_t operation = kFirst) {
  sparse_attn_emu_access_global(address, sizeof(T), alignof(T), kWrite,
                                operation);
  *address = value;
}

inline void barrier(int32_t operation = kFirst) {
  sparse_attn_emu_barrier(0, 0, operation);
}

} // namespace mlir::sparse_attn::emulator

#endif // SPARSEATTN_UNITTESTS_EMULATEDKERNEL_H
