//===- CompileIree.cpp - A function to a freestanding object --------------===//

#include "Freestanding.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Package/Compile/HostObject.h"
#include "SparseAttn/Package/Compile/Optimize.h"
#include "SparseAttn/Package/Compile/Symbols.h"
#include "SparseAttn/Package/Describe/Describe.h"
#include "SparseAttn/Package/Iree/Iree.h"
#include "SparseAttn/Support/Error.h"
#include "SparseAttn/Target/Target.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::support;

/// Kernels are named so that a linker that finds none says what is wrong: IREE
/// leaves an object out that is for other processors than its device.
static std::string makeKernelPrefix(StringRef symbol, StringRef target) {
  std::string level = target.str();
  llvm::replace(level, '-', '_');
  return "sparse_attn_for_" + level + "_" + makeIdentifier(symbol);
}

namespace {
/// A function on the way to an object file, with one choice of tiles.
class Lowering {
public:
  Lowering(func::FuncOp func, const HostOptions &options)
      : symbol(func.getName().str()), cpu(options.cpu), module(isolate(func)),
        planning(func.getContext()), lowering(func.getContext()),
        machine(func.getContext()) {
    pipeline.tileQueries = options.tileQueries;
    pipeline.tileKeys = options.tileKeys;
    pipeline.target = options.cpu;
    pipeline.resultsToArguments = false;
    pipeline.variants = false;
  }

  llvm::Expected<IreeProgram> run() {
    std::string message;
    auto refuse = [&](const Twine &text) {
      message = text.str();
      return mlir::failure();
    };
    if (failed(verifyOptions(pipeline, refuse)))
      return makeError("{0}", message);
    planning.addPass(createSparseAttnVerifyPlan());
    pipeline.trustPlans = true;
    buildCPUPlanning(planning, pipeline);
    buildCPUKernels(lowering, pipeline);
    buildCPUKernelLowering(machine);
    IreeProgram compiled;
    compiled.isHost = true;
    compiled.target = cpu;
    if (!module || failed(dropDeclarations(*module)) ||
        failed(planning.run(*module)) || failed(describe(compiled.program)) ||
        failed(machine.run(*module)))
      return makeError("cannot compile '{0}' for IREE on {1}, for the errors "
                       "above",
                       symbol, cpu);
    llvm::Expected<std::string> object = emitCode();
    if (!object)
      return object.takeError();
    compiled.code = std::move(*object);
    return compiled;
  }

private:
  /// Lowers to kernels, and tells how they are launched.
  LogicalResult describe(Program &program) {
    auto func = module->lookupSymbol<func::FuncOp>(symbol);
    FailureOr<Program> interface = describeInterface(func);
    if (failed(interface))
      return failure();
    SymbolTable symbols(*module);
    prefix = makeKernelPrefix(symbol, cpu);
    while (symbols.lookup(prefix))
      prefix += '_';
    if (failed(symbols.rename(func, prefix)) || failed(lowering.run(*module)))
      return failure();
    FailureOr<Program> described = describeProgram(func, std::move(*interface));
    if (failed(described))
      return failure();
    program = std::move(*described);
    program.name = symbol;
    return success();
  }

  llvm::Expected<std::string> emitCode() {
    llvm::TargetOptions options;
    options.EmitStackSizeSection = true;
    std::unique_ptr<llvm::TargetMachine> target =
        makeTargetMachine(*target::findCpu(cpu), options);
    if (!target)
      return makeError("this LLVM makes no code for {0}; use one that has its "
                       "X86 target",
                       cpu);
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> code =
        translateModuleToLLVMIR(*module, context, symbol);
    if (!code)
      return makeError("cannot translate '{0}' to LLVM IR", symbol);
    setTarget(*code, *target);
    // Only kernels are called from outside.
    for (llvm::Function &function : *code)
      if (!function.isDeclaration() && !function.getName().starts_with(prefix))
        function.setLinkage(llvm::GlobalValue::InternalLinkage);
    optimizeHostCode(*code, *target);
    addMemoryFunctions(*code);
    return emitObject(*code, *target);
  }

  std::string symbol, cpu, prefix;
  OwningOpRef<ModuleOp> module;
  CPUPipelineOptions pipeline;
  PassManager planning, lowering, machine;
};
} // namespace

/// Tiles to try, the mask's own first; those that the user names are tried
/// alone.
static SmallVector<std::pair<int64_t, int64_t>>
getTiles(const HostOptions &options) {
  if (options.tileQueries || options.tileKeys)
    return {{options.tileQueries, options.tileKeys}};
  return {{0, 0}, {32, 32}, {16, 32}, {16, 16}, {16, 8}};
}

/// Which tiles see one another's documents, or listed tokens, is known when the
/// host has read them, and IREE has no host code of ours.
static LogicalResult verifyData(func::FuncOp func) {
  WalkResult result = func.walk([](AttentionOp op) {
    bool hasDocuments(op.getDataOperand(kDocuments));
    if (!hasDocuments && !op.getDataOperand(kGlobalTokens))
      return WalkResult::advance();
    op.emitOpError("has the data operand '")
        << (hasDocuments ? kDocuments : kGlobalTokens)
        << "', whose tiles are listed on the host at run time, which programs "
           "for IREE cannot do; "
        << (hasDocuments ? "pad sequences and give key_lengths, or " : "")
        << "call a package";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

llvm::Expected<IreeProgram>
package::compileForIree(func::FuncOp func, const HostOptions &options) {
  if (failed(verifyData(func)))
    return makeError("cannot compile '{0}' for IREE on {1}, for the errors "
                     "above",
                     func.getName(), options.cpu);
  uint64_t least = UINT64_MAX;
  for (auto [queries, keys] : getTiles(options)) {
    HostOptions tiled = options;
    tiled.tileQueries = queries;
    tiled.tileKeys = keys;
    llvm::Expected<IreeProgram> compiled = Lowering(func, tiled).run();
    if (!compiled)
      return compiled.takeError();
    llvm::Expected<ObjectFacts> facts = readObject(compiled->code);
    if (!facts)
      return facts.takeError();
    if (!facts->undefined.empty())
      return makeError("'{0}' calls {1}, which no executable of IREE has; "
                       "compute that outside of the function",
                       func.getName(), llvm::join(facts->undefined, ", "));
    if (facts->stackBytes <= kMaxIreeStack)
      return compiled;
    least = std::min(least, facts->stackBytes);
  }
  return makeError("'{0}' needs {1} bytes of stack, and workers of IREE have "
                   "room for {2}; give smaller tiles by --tile-queries and "
                   "--tile-keys",
                   func.getName(), least, kMaxIreeStack);
}

/// IREE passes kernels pointers and integers of 32 bits.
static bool canPass(const KernelArgument &argument) {
  const auto *integer = std::get_if<IntegerArgument>(&argument);
  return std::holds_alternative<PointerArgument>(argument) ||
         (integer && integer->bits == 32);
}

/// The sizes of blocks and shared memory stand in the executable.
static bool isFixed(const LaunchSpec &launch) {
  return launch.sharedBytes.asConstant() &&
         llvm::all_of(launch.block, [](const SizeExpr &size) {
           return size.asConstant().has_value();
         });
}

llvm::Expected<IreeProgram>
package::compileForIree(func::FuncOp func, const NVVMPipelineOptions &options) {
  NVVMPipelineOptions dense;
  dense.copyOptionValuesFrom(options);
  dense.strides = "dense";
  dense.variants = false;
  llvm::Expected<PackagedProgram> packaged = compile(func, dense);
  if (!packaged)
    return packaged.takeError();
  for (const LaunchSpec &launch : packaged->program.launches)
    if (!llvm::all_of(launch.arguments, canPass) || !isFixed(launch))
      return makeError("IREE cannot launch '{0}' of '{1}' on {2}: it passes "
                       "pointers and integers of 32 bits only",
                       launch.kernel, func.getName(), options.chip);
  IreeProgram compiled;
  compiled.program = std::move(packaged->program);
  compiled.target = packaged->chip;
  compiled.code = std::move(packaged->ptx);
  return compiled;
}
