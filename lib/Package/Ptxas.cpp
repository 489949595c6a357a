//===- Ptxas.cpp - PTX to machine code by NVIDIA's assembler --------------===//

#include "SparseAttn/Package/Package.h"
#include "SparseAttn/Support/Error.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using llvm::StringRef;

std::optional<std::string> mlir::sparse_attn::findPtxas() {
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

static llvm::Error makeFileError(std::error_code code) {
  return makeError("no temporary file for ptxas: {0}; check TMPDIR",
                   code.message());
}

static llvm::Expected<std::string> readFile(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return makeFileError(buffer.getError());
  return (*buffer)->getBuffer().str();
}

namespace {
/// A file that goes when this does.
struct ScratchFile {
  llvm::SmallString<128> path;
  llvm::FileRemover remover;

  std::error_code create(StringRef extension, int &descriptor) {
    std::error_code code = llvm::sys::fs::createTemporaryFile(
        "sparse-attn", extension, descriptor, path);
    if (!code)
      remover.setFile(path);
    return code;
  }

  std::error_code create(StringRef extension, StringRef contents) {
    int descriptor;
    if (std::error_code code = create(extension, descriptor))
      return code;
    llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
    os << contents;
    os.close();
    std::error_code code = os.error();
    os.clear_error();
    return code;
  }
};
} // namespace

llvm::Expected<std::string>
mlir::sparse_attn::assemble(StringRef ptxas, StringRef ptx, StringRef chip) {
  ScratchFile source, cubin, log;
  if (std::error_code code = source.create("ptx", ptx))
    return makeFileError(code);
  if (std::error_code code = cubin.create("cubin", StringRef()))
    return makeFileError(code);
  if (std::error_code code = log.create("log", StringRef()))
    return makeFileError(code);
  std::string arch = ("-arch=" + chip).str();
  std::string message;
  int status = llvm::sys::ExecuteAndWait(
      ptxas, {ptxas, arch, "-O3", source.path, "-o", cubin.path},
      /*Env=*/std::nullopt, {StringRef(), log.path.str(), log.path.str()},
      /*SecondsToWait=*/0, /*MemoryLimit=*/0, &message);
  if (status == 0)
    return readFile(cubin.path);
  if (message.empty()) {
    if (llvm::Expected<std::string> text = readFile(log.path))
      message = StringRef(*text).trim().str();
    else
      llvm::consumeError(text.takeError());
  }
  return makeError("{0} fails for {1}: {2}", ptxas, chip, message);
}
