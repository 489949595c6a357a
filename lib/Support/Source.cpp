//===- Source.cpp - Text that is safe to hand to MLIR's parser ------------===//

#include "SparseAttn/Support/Source.h"
#include "SparseAttn/Support/Error.h"
#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::support;

/// Like a diagnostic of the parser, but for lines too long to look at.
static void report(const llvm::SourceMgr &sources, const TextProblem &problem) {
  llvm::SMDiagnostic diagnostic =
      sources.GetMessage(llvm::SMLoc::getFromPointer(problem.where),
                         llvm::SourceMgr::DK_Error, problem.message);
  constexpr size_t kMaxLine = 200;
  if (diagnostic.getLineContents().size() <= kMaxLine)
    return sources.PrintMessage(llvm::errs(), diagnostic);
  llvm::errs() << diagnostic.getFilename() << ":" << diagnostic.getLineNo()
               << ":" << diagnostic.getColumnNo() + 1
               << ": error: " << diagnostic.getMessage() << "\n";
}

static llvm::Error checkChunk(const llvm::SourceMgr &sources, StringRef text,
                              StringRef name) {
  if (isBytecode(llvm::MemoryBufferRef(text, name)))
    return makeError("{0} is bytecode; expected text", name);
  std::optional<TextProblem> problem = findDeepNesting(text);
  if (!problem)
    return llvm::Error::success();
  report(sources, *problem);
  return makeError("{0} is not read for the error above", name);
}

llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
support::openSource(StringRef path, StringRef splitMarker) {
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> buffer = openInputFile(path, &message);
  if (!buffer)
    return makeError("{0}", message);
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBuffer(*buffer),
                             llvm::SMLoc());
  StringRef chunk, rest = buffer->getBuffer();
  do {
    if (splitMarker.empty())
      std::tie(chunk, rest) = std::pair(rest, StringRef());
    else
      std::tie(chunk, rest) = rest.split(splitMarker);
    if (llvm::Error error = checkChunk(sources, chunk, path))
      return std::move(error);
  } while (!rest.empty());
  return buffer;
}

llvm::Expected<OwningOpRef<ModuleOp>>
support::readModule(StringRef path, llvm::SourceMgr &sources,
                    MLIRContext &context) {
  auto buffer = openSource(path);
  if (!buffer)
    return buffer.takeError();
  sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, &context);
  if (!module)
    return makeError("cannot read {0} for the errors above", path);
  return module;
}
