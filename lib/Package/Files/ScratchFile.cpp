//===- ScratchFile.cpp - Files for other programs -------------------------===//

#include "ScratchFile.h"
#include "SparseAttn/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::support;
using llvm::StringRef;

static llvm::Error makeFileError(std::error_code code) {
  return makeError("no temporary file for other programs: {0}; check TMPDIR",
                   code.message());
}

llvm::Error ScratchFile::create(StringRef extension, StringRef contents) {
  int descriptor;
  if (std::error_code code = llvm::sys::fs::createTemporaryFile(
          "sparse-attn", extension, descriptor, path))
    return makeFileError(code);
  remover.setFile(path);
  llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
  os << contents;
  os.close();
  std::error_code code = os.error();
  os.clear_error();
  return code ? makeFileError(code) : llvm::Error::success();
}

llvm::Expected<std::string> ScratchFile::read() const {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return makeFileError(buffer.getError());
  return (*buffer)->getBuffer().str();
}

llvm::Error package::runProgram(llvm::ArrayRef<StringRef> command,
                                StringRef target) {
  ScratchFile log;
  if (llvm::Error error = log.create("log", StringRef()))
    return error;
  std::string message;
  StringRef output = log.path;
  int status = llvm::sys::ExecuteAndWait(
      command.front(), command, /*Env=*/std::nullopt,
      {StringRef(), output, output}, /*SecondsToWait=*/0, /*MemoryLimit=*/0,
      &message);
  if (status == 0)
    return llvm::Error::success();
  if (message.empty()) {
    if (llvm::Expected<std::string> text = log.read())
      message = StringRef(*text).trim().str();
    else
      llvm::consumeError(text.takeError());
  }
  return makeError("{0} fails for {1}: {2}", command.front(), target, message);
}
