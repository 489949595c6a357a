//===- BugReport.h - Where a crash is to be reported ------------*- C++ -*-===//

#ifndef SPARSEATTN_SUPPORT_BUGREPORT_H
#define SPARSEATTN_SUPPORT_BUGREPORT_H

namespace mlir::sparse_attn::support {

/// Lets a program that crashes ask for a report to this project; LLVM would
/// name its own. Call it first in main.
void setBugReport();

/// Makes a file that grows beyond the limit of `ulimit -f` an ordinary error of
/// writing, not a crash. Call it after LLVM has set up its signal handlers.
void ignoreFileSizeLimit();

} // namespace mlir::sparse_attn::support

#endif // SPARSEATTN_SUPPORT_BUGREPORT_H
