//===- Symbols.h - Names that machine code can have -------------*- C++ -*-===//
//
// A function may be called anything in MLIR, `malloc` as well. In machine code
// names are shared with the C library, with what lowering declares by name, and
// with wrappers that are named after their function; a kernel's name has to be
// an identifier of PTX.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_COMPILE_SYMBOLS_H
#define SPARSEATTN_PACKAGE_COMPILE_SYMBOLS_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::sparse_attn::package {

/// What kMachinePrefix starts, nobody else defines.
constexpr const char *kMachinePrefix = "sparse_attn_machine_";

/// Erases declarations that nothing uses. A func.func that is used and only
/// declared is an error at it: no library has a function of tensors.
LogicalResult dropDeclarations(ModuleOp module);

/// Gives functions the names that their kernels start with: identifiers, and
/// their own where they are one.
void renameToIdentifiers(ModuleOp module);

/// Gives all that the module defines names of its own in machine code, which
/// start with kMachinePrefix. Declarations keep theirs.
void renameForMachineCode(ModuleOp module);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_PACKAGE_COMPILE_SYMBOLS_H
