//===- RuntimeTest.h - What tests of the runtime share ----------*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_RUNTIME_RUNTIMETEST_H
#define SPARSEATTN_TEST_UNIT_RUNTIME_RUNTIMETEST_H

#include "CudaDouble.h"
#include "SparseAttn/Runtime/SparseAttnRuntime.h"
#include "gtest/gtest.h"
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace runtime_test {

/// What sparse-attn-compile makes of Inputs/attention.mlir for sm_80 and
/// sm_90a; compiled once a process, gone at its end.
const std::filesystem::path &getPackage();
/// The same kernels for the emulator.
const std::filesystem::path &getKernels();

/// A directory that is gone at the end of the scope.
class TemporaryDirectory {
public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory &) = delete;
  TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
  const std::filesystem::path path;
};

/// A copy of the package, to be damaged.
class PackageCopy : public TemporaryDirectory {
public:
  PackageCopy();
  using Edit = std::function<void(nlohmann::ordered_json &)>;
  void editManifest(const Edit &edit) const;
  /// A file and its entry in the manifest, for program number `program`.
  void addFile(size_t program, const std::string &kind, const std::string &name,
               const std::string &contents) const;
  /// The name of that program's file of that kind.
  std::string getFile(size_t program, const std::string &kind) const;
};

std::string readFile(const std::filesystem::path &path);
void writeFile(const std::filesystem::path &path, const std::string &contents);

template <typename T, void (*Close)(T *)> struct Closer {
  void operator()(T *value) const { Close(value); }
};
using Package =
    std::unique_ptr<SparseAttnPackage,
                    Closer<SparseAttnPackage, sparseAttnPackageClose>>;
using Driver = std::unique_ptr<SparseAttnDriver,
                               Closer<SparseAttnDriver, sparseAttnDriverClose>>;
using Program =
    std::unique_ptr<SparseAttnProgram,
                    Closer<SparseAttnProgram, sparseAttnProgramUnload>>;

/// A tensor with its shape; `getView` is valid as long as it is.
struct Tensor {
  SparseAttnType type;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
  uint64_t data = 0;

  SparseAttnTensor getView() const {
    return {data, type, static_cast<int32_t>(shape.size()), shape.data(),
            strides.empty() ? nullptr : strides.data()};
  }
};
std::vector<SparseAttnTensor> getViews(const std::vector<Tensor> &tensors);

/// The tensors of a call.
struct Call {
  std::vector<Tensor> arguments, results;
};
/// Of @longformer, with memory on a device.
Call makeLongformer(int64_t b, int64_t hq, int64_t hkv, int64_t sq, int64_t sk,
                    int device = 0);
/// Of @causal and @causal_256.
Call makeCausal(int64_t b, int64_t s, int device = 0);

SparseAttnStatus launch(const Program &program, const Call &call,
                        uint64_t workspace = 0, uint64_t bytes = 0,
                        void *stream = nullptr);
/// Without a workspace.
SparseAttnStatus timeLaunches(const Program &program, const Call &call,
                              double *seconds, void *stream = nullptr);
uint64_t getWorkspaceBytes(const Program &program, const Call &call);

/// Starts with a new driver double and the package; ends with the check that
/// nothing was done that a driver forbids, and nothing is left.
class RuntimeTest : public ::testing::Test {
protected:
  void SetUp() override;
  void TearDown() override;

  static Package open(const std::filesystem::path &path);
  static Driver openDriver();
  static const SparseAttnFunction *getFunction(const Package &package,
                                               const char *name);
  static Program load(const Driver &driver, const SparseAttnFunction *function,
                      int32_t device = 0);
};

/// The call failed so, and its message has all these parts.
void expectError(SparseAttnStatus expected, SparseAttnStatus status,
                 const std::vector<std::string> &parts);

} // namespace runtime_test

#endif // SPARSEATTN_TEST_UNIT_RUNTIME_RUNTIMETEST_H
