//===- Linker.cpp - Objects to shared objects by the system's linker ------===//

#include "ScratchFile.h"
#include "SparseAttn/Package/Files/Package.h"
#include "SparseAttn/Support/Error.h"
#include "llvm/Support/Program.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::support;
using llvm::StringRef;

llvm::Expected<std::string> package::findLinker() {
  for (const char *name : {"ld.lld-22", "ld.lld", "ld"})
    if (llvm::ErrorOr<std::string> path = llvm::sys::findProgramByName(name))
      return *path;
  return makeError(
      "host code needs a linker, and neither ld.lld-22, ld.lld nor "
      "ld is on the PATH; install lld-22 or binutils");
}

llvm::Expected<std::string> package::linkShared(StringRef linker,
                                                StringRef object, StringRef cpu,
                                                bool usesOpenMP) {
  ScratchFile input, output;
  if (llvm::Error error = input.create("o", object))
    return std::move(error);
  if (llvm::Error error = output.create("so", StringRef()))
    return std::move(error);
  // A path would make equal input give other bytes; what is undefined is found
  // here, not where the package is used.
  llvm::SmallVector<StringRef, 24> command = {linker,
                                              "-shared",
                                              "-m",
                                              "elf_x86_64",
                                              "--build-id=none",
                                              "--strip-all",
                                              "-z",
                                              "defs",
                                              "-z",
                                              "noexecstack",
                                              "-o",
                                              output.path,
                                              input.path,
                                              "-L/lib/x86_64-linux-gnu",
                                              "-L/usr/lib/x86_64-linux-gnu",
                                              "-L/lib64",
                                              "-L/usr/lib64",
                                              "-L/usr/lib/llvm-22/lib",
                                              "--as-needed"};
  if (usesOpenMP)
    command.push_back("-l:libomp.so.5");
  command.append({"-l:libm.so.6", "-l:libc.so.6"});
  if (llvm::Error error = runProgram(command, cpu))
    return std::move(error);
  return output.read();
}
