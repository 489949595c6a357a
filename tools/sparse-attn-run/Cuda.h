//===- Cuda.h - A function on a GPU -----------------------------*- C++ -*-===//
//
// By the way that users have: the function becomes a package, which the runtime
// library opens, loads and launches.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TOOLS_RUN_CUDA_H
#define SPARSEATTN_TOOLS_RUN_CUDA_H

#include "Arrays.h"
#include "SparseAttn/Runtime/SparseAttnRuntime.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <memory>

namespace mlir::sparse_attn::run_tool {

template <typename T, void (*End)(T *)> struct Ender {
  void operator()(T *thing) const { End(thing); }
};

/// The driver's first device.
class CudaDevice {
public:
  static llvm::Expected<CudaDevice> open();

  SparseAttnDriver *getDriver() const { return driver.get(); }
  /// What functions are compiled for.
  StringRef getChip() const { return chip; }

private:
  std::unique_ptr<SparseAttnDriver,
                  Ender<SparseAttnDriver, sparseAttnDriverClose>>
      driver;
  std::string chip;
};

/// A function that is compiled for a device and loaded there.
class CudaProgram {
public:
  /// The kernels are also written to the directory `objects` as the driver
  /// double of the tests takes them, unless it is empty. `device` must outlive
  /// the program.
  static llvm::Expected<CudaProgram>
  compile(const CudaDevice &device, func::FuncOp func, StringRef objects);

  /// Launches once to warm up and then `repeat` times. Returns the results of
  /// the last and the seconds that each took, by the device's clock.
  llvm::Expected<std::pair<SmallVector<Array>, SmallVector<double>>>
  run(ArrayRef<Array> arguments, unsigned repeat) const;

private:
  SparseAttnDriver *driver = nullptr;
  SmallVector<RankedTensorType> results;
  std::unique_ptr<SparseAttnPackage,
                  Ender<SparseAttnPackage, sparseAttnPackageClose>>
      package;
  const SparseAttnFunction *function = nullptr;
  std::unique_ptr<SparseAttnProgram,
                  Ender<SparseAttnProgram, sparseAttnProgramUnload>>
      program;
};

} // namespace mlir::sparse_attn::run_tool

#endif // SPARSEATTN_TOOLS_RUN_CUDA_H
