//===- Compile.h - An MLIR file to a callable function ----------*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_RUN_COMPILE_H
#define SPARSEATTN_TOOLS_RUN_COMPILE_H

#include "ScoreProgram.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::sparse_attn::run_tool {

/// The function that `entry` names, in `module` or a module inside it, or the
/// only one or only public one if `entry` is empty; it must take and return
/// ranked tensors.
llvm::Expected<func::FuncOp> findEntry(ModuleOp module, llvm::StringRef entry);

/// Sizes that are known only now must fit each attention op, which would read
/// past the end of a smaller argument.
llvm::Error checkSizes(func::FuncOp func, ArrayRef<Array> arguments);

/// An attention op whose operands and results the function also returns.
struct ObservedAttention {
  MaskAttrInterface mask;
  double scale;
  std::optional<double> softcap;
  unsigned query, key, valueOperand, output; ///< indices of results
  std::optional<ScoreProgram> score = {};
  std::optional<unsigned> lse = {}, queryLengths = {}, keyLengths = {},
                          keyBegins = {}, queryPositions = {},
                          keyPositions = {}, pageTable = {}, documents = {},
                          globalTokens = {}, sinks = {}, bias = {}, slopes = {};
};

/// A merge, likewise.
struct ObservedMerge {
  unsigned first, firstLse, second, secondLse, output, lse;
};

struct ObservedOps {
  SmallVector<ObservedAttention, 1> attentions;
  SmallVector<ObservedMerge> merges;
};

/// Appends the operands and results of each attention op and merge in the body
/// of `func` to what it returns, so that a checker sees them.
llvm::Expected<ObservedOps> observe(func::FuncOp func);

/// Where a function runs in this process.
enum class Device { CPU, Emulator };

/// How code for this processor is made.
struct HostCode {
  /// Level of processors whose tiles it has; this machine's where it is empty.
  std::string target;
  /// Whether it counts the multiply-adds of its products.
  bool countsProducts = false;
};

/// What the emulator is to be.
struct EmulatedDevice {
  /// GPU that kernels are made for.
  std::string chip;
  /// File that the kernels are written to; none where it is empty.
  std::string kernelIR;
  /// Its multiprocessors; where it is 0, no launch is split by them.
  int64_t smCount = 0;
};

/// A function compiled for this machine.
class Program {
public:
  /// Lowers `module` for the device and compiles it for this machine.
  static llvm::Expected<Program> compile(ModuleOp module, func::FuncOp entry,
                                         Device device, const HostCode &host,
                                         const EmulatedDevice &emulated);

  /// Which schedule the emulator's threads follow.
  void setScheduleSeed(uint64_t seed) { scheduleSeed = seed; }

  /// Calls the function; returns its results and the seconds it took.
  llvm::Expected<std::pair<SmallVector<Array>, double>>
  run(MutableArrayRef<Array> arguments);

  /// Multiply-adds in the last run: of tensor cores in the emulator, and on the
  /// CPU of products of tiles, where its code counts them.
  uint64_t getMultiplyAdds() const;

private:
  SmallVector<Descriptor> place(MutableArrayRef<Array> arguments);
  llvm::Error invoke(MutableArrayRef<void *> packedArgs);

  std::string entry; ///< its name in machine code
  Device device = Device::CPU;
  uint64_t scheduleSeed = 0;
  SmallVector<RankedTensorType> results;
  std::unique_ptr<ExecutionEngine> engine;
};

} // namespace mlir::sparse_attn::run_tool

#endif // SPARSEATTN_TOOLS_RUN_COMPILE_H
