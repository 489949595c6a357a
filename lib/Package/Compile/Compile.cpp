//===- Compile.cpp - A function to kernels and how to launch them ---------===//

#include "SparseAttn/Package/Compile/Compile.h"
#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Package/Compile/Symbols.h"
#include "SparseAttn/Package/Describe/Describe.h"
#include "SparseAttn/Support/Entry.h"
#include "SparseAttn/Support/Error.h"
#include "SparseAttn/Target/Target.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/JSON.h"
#include <cstdlib>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::support;

/// What becomes kernels or loops over tiles.
static bool isAttention(Operation *op) {
  return isa<MaskedReductionOpInterface, MergeOp>(op);
}

static bool hasAttention(func::FuncOp func) {
  return func
      .walk([](Operation *op) {
        return isAttention(op) ? WalkResult::interrupt()
                               : WalkResult::advance();
      })
      .wasInterrupted();
}

/// The functions that `func` names, mostly to call them.
static SmallVector<func::FuncOp> getUsed(func::FuncOp func) {
  SmallVector<func::FuncOp> used;
  // Nothing where ops of unknown dialects hide uses.
  std::optional<SymbolTable::UseRange> uses = SymbolTable::getSymbolUses(func);
  if (!uses)
    return used;
  auto module = func->getParentOfType<ModuleOp>();
  for (const SymbolTable::SymbolUse &use : *uses)
    if (auto other = module.lookupSymbol<func::FuncOp>(
            use.getSymbolRef().getRootReference()))
      used.push_back(other);
  return used;
}

/// The functions with attention, themselves or in those that they use.
static llvm::SetVector<func::FuncOp>
findAttending(ArrayRef<func::FuncOp> functions) {
  llvm::SetVector<func::FuncOp> attending;
  size_t before;
  do {
    before = attending.size();
    for (func::FuncOp func : functions)
      if (hasAttention(func) ||
          llvm::any_of(getUsed(func), [&](func::FuncOp used) {
            return attending.contains(used);
          }))
        attending.insert(func);
  } while (attending.size() != before);
  return attending;
}

/// Whether all attention can be compiled; what cannot is never left out in
/// silence.
static bool isInFunctions(ModuleOp module) {
  return !module
              .walk([&](Operation *op) {
                if (!isAttention(op))
                  return WalkResult::advance();
                auto func = op->getParentOfType<func::FuncOp>();
                if (func && isa<ModuleOp>(func->getParentOp()))
                  return WalkResult::advance();
                op->emitOpError("stands in no func.func of a module; move it "
                                "into one");
                return WalkResult::interrupt();
              })
              .wasInterrupted();
}

/// The functions that can be compiled.
static SmallVector<func::FuncOp> getDefined(ModuleOp module) {
  SmallVector<func::FuncOp> defined;
  module.walk([&](func::FuncOp func) {
    if (!func.isExternal() && isa<ModuleOp>(func->getParentOp()))
      defined.push_back(func);
  });
  return defined;
}

/// A part of a function that is compiled anyhow.
static bool isPart(func::FuncOp func) {
  return func.isPrivate() && !SymbolTable::symbolKnownUseEmpty(
                                 func, func->getParentOfType<ModuleOp>());
}

/// A package knows its functions by their own names.
static llvm::Error checkNamesDiffer(ArrayRef<func::FuncOp> functions) {
  llvm::StringMap<SmallVector<FunctionOpInterface>> byName;
  for (func::FuncOp func : functions)
    byName[func.getName()].push_back(func);
  for (func::FuncOp func : functions)
    if (ArrayRef<FunctionOpInterface> same = byName[func.getName()];
        same.size() > 1)
      return makeError("a package cannot hold several functions called '{0}' "
                       "({1}); choose one with --entry, or rename them",
                       func.getName(), listPaths(same));
  return llvm::Error::success();
}

/// Manifests are text, and their readers may be C.
static bool isText(StringRef name) {
  return llvm::json::isUTF8(name) && !name.contains('\0');
}

llvm::Expected<SmallVector<func::FuncOp>>
package::findPrograms(ModuleOp module, StringRef entry) {
  if (entry.empty() && !isInFunctions(module))
    return makeError("nothing is compiled for the error above");
  SmallVector<func::FuncOp> defined = getDefined(module);
  llvm::SetVector<func::FuncOp> attending = findAttending(defined);
  SmallVector<func::FuncOp> found;
  if (entry.empty()) {
    llvm::copy_if(defined, std::back_inserter(found), [&](func::FuncOp func) {
      return attending.contains(func) && !isPart(func);
    });
    if (llvm::Error error = checkNamesDiffer(found))
      return std::move(error);
  } else {
    SmallVector<FunctionOpInterface> candidates(defined.begin(), defined.end());
    llvm::Expected<FunctionOpInterface> named = findByName(candidates, entry);
    if (!named)
      return named.takeError();
    auto func = cast<func::FuncOp>(named->getOperation());
    if (attending.contains(func))
      found.push_back(func);
  }
  if (found.empty())
    return makeError("no sparse_attn.attention in {0}",
                     entry.empty() ? "any function of the file"
                                   : "'" + entry.str() + "'");
  for (func::FuncOp func : found)
    if (!isText(func.getName())) {
      func.emitOpError("has a name that a manifest cannot: it is not UTF-8, or "
                       "has a character 0; choose another");
      return makeError("nothing is compiled for the error above");
    }
  return found;
}

/// A use that cannot be renamed would be left to the verifier.
func::FuncOp package::renameToIdentifier(ModuleOp module, StringRef symbol) {
  auto func = module.lookupSymbol<func::FuncOp>(symbol);
  auto name = StringAttr::get(module.getContext(), makeIdentifier(symbol));
  (void)SymbolTable::replaceAllSymbolUses(func, name, module);
  func.setName(name);
  return func;
}

/// The kernels' text. The one module of kernels holds one object.
static StringRef getPtx(ModuleOp module) {
  StringRef ptx;
  module.walk([&](gpu::BinaryOp binary) {
    if (!binary->hasAttr(kKernelsAttr))
      return;
    auto object = cast<gpu::ObjectAttr>(binary.getObjects()[0]);
    ptx = object.getObject().getValue();
  });
  return ptx;
}

/// A variant launches its kernels always, and each once.
static LogicalResult verifyLaunches(func::FuncOp func) {
  WalkResult result = func.walk([&](Operation *op) {
    if (!isAttention(op))
      return WalkResult::advance();
    Operation *parent = op->getParentOp();
    // Becomes the grid of a launch.
    while (isa<scf::ForallOp>(parent))
      parent = parent->getParentOp();
    if (parent == func)
      return WalkResult::advance();
    op->emitOpError("stands inside '")
        << parent->getName()
        << "', and the kernels of a package are launched one after another, "
           "each once; give it a function of its own, and choose or repeat "
           "where that is called";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

namespace {
/// A function on its own, on the way to kernels.
class Lowering {
public:
  Lowering(func::FuncOp func, const NVVMPipelineOptions &options)
      : symbol(func.getName().str()), chip(options.chip), module(isolate(func)),
        func(module ? renameToIdentifier(*module, symbol) : func),
        planning(func.getContext()), lowering(func.getContext()) {
#ifdef NDEBUG
    // What passes make is verified once, when kernels have been lowered: after
    // each pass it takes a quarter of the time. sparse-attn-opt does it.
    lowering.enableVerifier(false);
#endif
  }

  /// Planned ahead of the pipeline, which keeps a plan: lowering consumes it.
  /// Its variants are functions of their own from then on.
  llvm::Error plan(const NVVMPipelineOptions &options) {
    if (!module)
      return fail();
    std::string message;
    auto refuse = [&](const Twine &text) {
      message = text.str();
      return mlir::failure();
    };
    NVVMPipelineOptions planned;
    planned.copyOptionValuesFrom(options);
    planned.trustPlans = true;
    planned.variants = false;
    planning.addPass(createSparseAttnVerifyPlan());
    // The launcher of a package knows the device.
    NVVMPipelineOptions branched;
    branched.copyOptionValuesFrom(options);
    branched.fewBlocks = options.variants;
    if (failed(buildNVVMPlanning(planning, branched, refuse)) ||
        failed(buildNVVMPipeline(lowering, planned, refuse)))
      return makeError("{0}", message);
    if (failed(planning.run(*module)))
      return fail();
    FailureOr<SmallVector<FunctionVariant>> split = splitBranches(func);
    if (failed(split))
      return fail();
    variants = std::move(*split);
    for (const FunctionVariant &variant : variants) {
      if (failed(verifyLaunches(variant.func)))
        return fail();
      variant.func->setAttr(kVariantOfAttr, func.getNameAttr());
    }
    return llvm::Error::success();
  }
  LogicalResult lower() { return lowering.run(*module); }

  /// Lowers, and tells how each variant is launched.
  FailureOr<SmallVector<Program>> describe() {
    SmallVector<Program> programs;
    for (const FunctionVariant &variant : variants) {
      FailureOr<Program> interface = describeInterface(variant.func);
      if (failed(interface))
        return failure();
      programs.push_back(std::move(*interface));
    }
    if (failed(lower()))
      return failure();
    for (auto [variant, program] : llvm::zip(variants, programs)) {
      FailureOr<Program> described =
          describeProgram(variant.func, std::move(program));
      if (failed(described))
        return failure();
      program = std::move(*described);
    }
    return programs;
  }

  ModuleOp getModule() { return *module; }
  OwningOpRef<ModuleOp> takeModule() { return std::move(module); }
  ArrayRef<FunctionVariant> getVariants() const { return variants; }

  llvm::Error fail() const {
    return makeError("cannot compile '{0}' for {1}, for the errors above",
                     symbol, chip);
  }

private:
  std::string symbol, chip;
  OwningOpRef<ModuleOp> module;
  func::FuncOp func;
  SmallVector<FunctionVariant> variants;
  PassManager planning, lowering;
};
} // namespace

llvm::Expected<PackagedProgram>
package::compile(func::FuncOp func, const NVVMPipelineOptions &options) {
  Lowering lowering(func, options);
  if (llvm::Error error = lowering.plan(options))
    return error;
  FailureOr<SmallVector<Program>> programs = lowering.describe();
  if (failed(programs))
    return lowering.fail();
  for (Program &program : *programs) {
    program.name = func.getName().str();
    if (!program.launches.empty())
      continue;
    func.emitOpError(
        "launches no kernel: none of its results is what attention "
        "computes, or attention has a length or batch of 0; return "
        "what is computed, and write '?' for sizes that vary");
    return lowering.fail();
  }

  PackagedProgram packaged;
  packaged.program = programs->pop_back_val();
  for (auto [variant, program] : llvm::zip(lowering.getVariants(), *programs))
    packaged.specializations.push_back({variant.when, std::move(program)});
  packaged.chip = options.chip;
  packaged.ptx = getPtx(lowering.getModule()).str();
  packaged.options = {{"tile-queries", options.tileQueries},
                      {"tile-keys", options.tileKeys},
                      {"heavy-splits", options.heavySplits},
                      {"stages", options.stages},
                      {"warps", options.warps},
                      {"dense", options.strides == "dense"},
                      {"variants", options.variants}};
  if (llvm::Error error = checkSpecializations(packaged))
    return std::move(error);
  return packaged;
}

llvm::Expected<OwningOpRef<ModuleOp>>
package::lowerToKernels(func::FuncOp func, const NVVMPipelineOptions &options) {
  NVVMPipelineOptions unserialized;
  unserialized.copyOptionValuesFrom(options);
  unserialized.emit = "nvvm";
  Lowering lowering(func, unserialized);
  if (llvm::Error error = lowering.plan(unserialized))
    return std::move(error);
  if (failed(lowering.lower()))
    return lowering.fail();
  return lowering.takeModule();
}

void package::hideToolkit() {
  for (const char *variable : {"CUDA_ROOT", "CUDA_HOME", "CUDA_PATH"})
    unsetenv(variable);
}

std::optional<std::string> package::findNewestChip(int capability) {
  std::optional<std::string> newest;
  auto rank = [](StringRef chip) {
    StringRef number = chip.substr(3).take_while(llvm::isDigit);
    int needed = 0;
    (void)number.getAsInteger(10, needed);
    return std::pair(needed, isArchitectureSpecific(chip));
  };
  for (const target::GpuTarget &chip : target::getGpus()) {
    auto [needed, isSpecific] = rank(chip.name);
    bool runs = isSpecific ? needed == capability : needed <= capability;
    if (runs && (!newest || rank(*newest) < rank(chip.name)))
      newest = chip.name.str();
  }
  return newest;
}
