//===- HeaderLaunches.h - How a header launches kernels ---------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PACKAGE_FILES_HEADERLAUNCHES_H
#define SPARSEATTN_LIB_PACKAGE_FILES_HEADERLAUNCHES_H

#include "SparseAttn/Package/Files/Program.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"
#include <string_view>

namespace mlir::sparse_attn::package {

/// The names of the functions that formulas call begin with this.
inline constexpr std::string_view kFunctionPrefix = "sparse_attn_";

/// Prints the parts of a header that fill in what cuLaunchKernel takes. Names
/// of the program begin with `prefix`, and arguments of its functions are `n`,
/// the sizes, and `b`, the buffers.
class LaunchPrinter {
public:
  LaunchPrinter(const Program &program, llvm::StringRef prefix,
                llvm::raw_ostream &os);

  /// For the comment of the header: what a caller does about tensor maps, if
  /// there are any.
  void printUsage();
  /// PREFIX_launch, and what it consists of.
  void printTypes();
  /// PREFIX_get_launch.
  void printFunction();

private:
  void printLaunch(size_t index, const LaunchSpec &launch);
  void printAssignment(const llvm::Twine &field, const SizeExpr &formula);
  void printFormula(const SizeExpr &formula);
  void printAddress(BufferRef buffer);
  void printStride(BufferRef buffer, size_t dim);
  /// The parameter of a launch with this number.
  void print(size_t index, const PointerArgument &argument);
  void print(size_t index, const StrideArgument &argument);
  void print(size_t index, const IntegerArgument &argument);
  void print(size_t index, const TensorMapArgument &argument);

  const Program &program;
  llvm::StringRef prefix;
  llvm::raw_ostream &os;
  size_t maxParameters = 1, maxMaps = 0; ///< of one launch
  size_t numMaps = 0;                    ///< of this launch so far
};

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_LIB_PACKAGE_FILES_HEADERLAUNCHES_H
