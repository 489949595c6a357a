//===- HeaderLaunches.h - How a header launches kernels ---------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PACKAGE_FILES_HEADERLAUNCHES_H
#define SPARSEATTN_LIB_PACKAGE_FILES_HEADERLAUNCHES_H

#include "SparseAttn/Package/Files/Package.h"
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
  LaunchPrinter(const PackagedProgram &packaged, llvm::StringRef prefix,
                llvm::raw_ostream &os);

  /// For the comment of the header: what a caller does about tensor maps, if
  /// there are any.
  void printUsage();
  /// PREFIX_launch, and what it consists of.
  void printTypes();
  /// PREFIX_variant, where there are several.
  void printChoice();
  /// PREFIX_kernel and PREFIX_get_launch.
  void printFunctions();

private:
  void printKernelNames();
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

  std::vector<ProgramVariant> variants;
  llvm::StringRef prefix;
  llvm::raw_ostream &os;
  size_t maxParameters = 1, maxMaps = 0; ///< of one launch
  size_t numMaps = 0;                    ///< of this launch so far
  size_t variant = 0;                    ///< whose launches are printed
  size_t firstOffset = 0;                ///< of its workspace's buffers
};

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_LIB_PACKAGE_FILES_HEADERLAUNCHES_H
