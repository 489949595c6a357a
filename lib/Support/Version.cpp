//===- Version.cpp - What --version says ----------------------------------===//

#include "SparseAttn/Support/Version.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

void mlir::sparse_attn::support::setVersion(llvm::StringLiteral tool) {
  llvm::cl::SetVersionPrinter([tool](llvm::raw_ostream &os) {
    os << tool << " of sparse_attn " SPARSE_ATTN_VERSION "\n";
    llvm::cl::PrintVersionMessage();
  });
}
