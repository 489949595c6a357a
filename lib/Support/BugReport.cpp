//===- BugReport.cpp - Where a crash is to be reported --------------------===//

#include "SparseAttn/Support/BugReport.h"
#include "llvm/Support/PrettyStackTrace.h"
#include <csignal>

void mlir::sparse_attn::support::setBugReport() {
  llvm::setBugReportMsg("This is a bug in sparse_attn; please report it to the "
                        "project, with the input and the stack trace.\n");
}

void mlir::sparse_attn::support::ignoreFileSizeLimit() {
  std::signal(SIGXFSZ, SIG_IGN);
}
