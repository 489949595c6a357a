//===- Source.h - Text that is safe to hand to MLIR's parser ----*- C++ -*-===//
//
// MLIR's parser and the algorithms on what it builds are recursive, so that a
// few kilobytes of brackets overflow the stack, and its bytecode reader trusts
// what it reads. The tools therefore look at the bytes of a file first, all of
// them by the functions here.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_SUPPORT_SOURCE_H
#define SPARSEATTN_SUPPORT_SOURCE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/SourceMgr.h"
#include <optional>
#include <string>

namespace mlir::sparse_attn::support {

/// The most brackets that may be open at once, those of the aliases named there
/// included. Programs stay far below it: lowering nests a dozen loops.
constexpr unsigned kMaxNesting = 256;

/// The most aliases that one may stand for. What doubles with every line is
/// short as text and has no end when it is printed or analysed.
constexpr uint64_t kMaxAliasExpansion = 100000;

struct TextProblem {
  /// Into the text that was looked at.
  const char *where;
  std::string message;
};

/// The first place at which `text` nests deeper than kMaxNesting, or at which
/// an alias stands for more than kMaxAliasExpansion others. Looks at brackets
/// and names outside strings and comments only; text that is not MLIR never
/// fails otherwise.
std::optional<TextProblem> findDeepNesting(llvm::StringRef text);

/// Opens a file of MLIR text (`-` is the standard input). Fails for bytecode
/// and for what findDeepNesting finds; the latter is reported at its place.
/// What `splitMarker` separates is looked at part by part, unless it is empty.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
openSource(llvm::StringRef path, llvm::StringRef splitMarker = {});

/// Opens by openSource, parses and verifies. What is wrong with the text stands
/// in diagnostics; those of the parser need a handler, which prints from
/// `sources`.
llvm::Expected<OwningOpRef<ModuleOp>> readModule(llvm::StringRef path,
                                                 llvm::SourceMgr &sources,
                                                 MLIRContext &context);

} // namespace mlir::sparse_attn::support

#endif // SPARSEATTN_SUPPORT_SOURCE_H
