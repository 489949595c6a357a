//===- Ptxas.cpp - PTX to machine code by NVIDIA's assembler --------------===//

#include "ScratchFile.h"
#include "SparseAttn/Package/Files/Package.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using llvm::StringRef;

std::optional<std::string> package::findPtxas() {
  if (llvm::ErrorOr<std::string> path = llvm::sys::findProgramByName("ptxas"))
    return *path;
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"}) {
    std::optional<std::string> root = llvm::sys::Process::GetEnv(variable);
    if (!root || root->empty())
      continue;
    llvm::SmallString<128> path(*root);
    llvm::sys::path::append(path, "bin", "ptxas");
    if (llvm::sys::fs::can_execute(path))
      return path.str().str();
  }
  return std::nullopt;
}

llvm::Expected<std::string> package::assemble(StringRef ptxas, StringRef ptx,
                                              StringRef chip) {
  ScratchFile source, cubin;
  if (llvm::Error error = source.create("ptx", ptx))
    return std::move(error);
  if (llvm::Error error = cubin.create("cubin", StringRef()))
    return std::move(error);
  std::string arch = ("-arch=" + chip).str();
  if (llvm::Error error =
          runProgram({ptxas, arch, "-O3", source.path, "-o", cubin.path}, chip))
    return std::move(error);
  return cubin.read();
}
