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
                              StringRef name, const SourceOptions &options) {
  if (isBytecode(llvm::MemoryBufferRef(text, name))) {
    if (options.allowBytecode)
      return llvm::Error::success();
    return makeError(
        "{0} is bytecode; expected text{1}", name,
        options.bytecodeFlag.empty()
            ? std::string()
            : (", or " + options.bytecodeFlag + " for a file you trust").str());
  }
  std::optional<TextProblem> problem = findDeepNesting(text);
  if (!problem)
    return llvm::Error::success();
  report(sources, *problem);
  return makeError("{0} is not read for the error above", name);
}

llvm::Error support::checkSource(const llvm::SourceMgr &sources, unsigned id,
                                 StringRef name, const SourceOptions &options) {
  StringRef rest = sources.getMemoryBuffer(id)->getBuffer();
  if (options.splitMarker.empty())
    return checkChunk(sources, rest, name, options);
  while (!rest.empty()) {
    StringRef chunk;
    std::tie(chunk, rest) = rest.split(options.splitMarker);
    if (llvm::Error error = checkChunk(sources, chunk, name, options))
      return error;
  }
  return llvm::Error::success();
}

llvm::Expected<OwningOpRef<ModuleOp>>
support::readModule(StringRef path, llvm::SourceMgr &sources,
                    MLIRContext &context) {
  std::string error;
  std::unique_ptr<llvm::MemoryBuffer> buffer = openInputFile(path, &error);
  if (!buffer)
    return makeError("{0}", error);
  unsigned id = sources.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  if (llvm::Error refused = checkSource(sources, id, path, SourceOptions()))
    return std::move(refused);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, &context);
  if (!module)
    return makeError("cannot read {0} for the errors above", path);
  return module;
}
