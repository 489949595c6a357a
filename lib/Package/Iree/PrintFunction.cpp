//===- PrintFunction.cpp - A function that dispatches kernels -------------===//

#include "PrintFormula.h"
#include "PrintModule.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <map>
#include <set>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using llvm::StringRef;

std::string package::getTensorType(const BufferSpec &buffer) {
  std::string type = "tensor<";
  for (const SizeExpr &size : buffer.shape)
    type += (size.asConstant() ? size.str() : "?") + "x";
  return type + buffer.elementType + ">";
}

namespace {
/// The body of the function: a value for each buffer as it is after the
/// dispatches so far.
class FunctionPrinter {
public:
  FunctionPrinter(llvm::raw_ostream &os, const IreeProgram &compiled,
                  const IreePrinter &names, bool isPrivate)
      : os(os), compiled(compiled), program(compiled.program), names(names),
        isPrivate(isPrivate), formulas(os, "    "), results(program.results),
        workspaces(program.workspaces) {}

  void print() {
    for (size_t i = 0; i < program.arguments.size(); ++i)
      argumentValues.push_back("%arg" + std::to_string(i));
    printSizes();
    if (compiled.isHost)
      printProcessorCheck();
    printEmpty(results, resultValues, BufferRef::Kind::Result);
    printEmpty(workspaces, workspaceValues, BufferRef::Kind::Workspace);
    for (auto [index, launch] : llvm::enumerate(program.launches))
      printDispatch(index, launch);
    printReturn();
  }

private:
  /// Sizes are read off the arguments, and checked where several tell one.
  void printSizes() {
    for (const SizeSpec &size : program.sizes) {
      std::string first = printDim(size.sources.front());
      formulas.define(size.name, first);
      for (SizeSource other : llvm::drop_begin(size.sources))
        printCheck(formulas.printEqual(first, printDim(other)),
                   "sizes do not agree that are all " + size.name);
    }
    if (isPrivate && compiled.attention.mustBeSquare)
      printCheck(formulas.printEqual(formulas.print(rowsOf(0)),
                                     formulas.print(rowsOf(1))),
                 "replaces causal attention of as many queries as keys only");
    for (const Condition &condition : program.conditions)
      printCheck(formulas.printEqual(formulas.print(condition.formula),
                                     formulas.print(SizeExpr::constant(1))),
                 condition.text);
  }

  const SizeExpr &rowsOf(unsigned argument) const {
    return program.arguments[argument].shape[2];
  }

  std::string printDim(SizeSource source) {
    std::string dim = formulas.print(SizeExpr::constant(source.dim));
    std::string size = formulas.printOp(
        "tensor.dim " + argumentValues[source.argument] + ", " + dim + " : " +
        getTensorType(program.arguments[source.argument]));
    argumentSizes[{source.argument, source.dim}] = size;
    return size;
  }

  void printCheck(const std::string &flag, const std::string &text) {
    os << "    cf.assert " << flag << ", \"";
    llvm::printEscapedString(program.name, os);
    os << ": " << text << "\"\n";
  }

  /// A device that cannot be asked is believed.
  void printProcessorCheck() {
    std::vector<StringRef> features = {"avx2", "fma", "f16c"};
    if (compiled.target == "x86-64-v4")
      features = {"avx512f", "avx512bw", "avx512dq", "avx512vl"};
    std::string device =
        formulas.printOp("\"hal.devices.get\"(" + formulas.print(SizeExpr()) +
                         ") : (index) -> !hal.device");
    for (StringRef feature : features) {
      std::string name = ("%has_" + feature).str();
      os << "    %known_" << feature << ", " << name
         << " = \"hal.device.query\"(" << device
         << ") <{category = \"hal.cpu\", key = \"" << feature
         << "\", default_value = true}> : (!hal.device) -> (i1, i1)\n";
      printCheck(name, "is compiled for " + compiled.target +
                           ", and this processor has no " + feature.str());
    }
  }

  std::string &valueOf(BufferRef buffer) {
    switch (buffer.kind) {
    case BufferRef::Kind::Argument:
      return argumentValues[buffer.index];
    case BufferRef::Kind::Result:
      return resultValues[buffer.index];
    case BufferRef::Kind::Workspace:
      return workspaceValues[buffer.index];
    }
    llvm_unreachable("all kinds of buffers");
  }

  const BufferSpec &specOf(BufferRef buffer) const {
    switch (buffer.kind) {
    case BufferRef::Kind::Argument:
      return program.arguments[buffer.index];
    case BufferRef::Kind::Result:
      return results[buffer.index];
    case BufferRef::Kind::Workspace:
      return workspaces[buffer.index];
    }
    llvm_unreachable("all kinds of buffers");
  }

  /// The sizes that the type leaves open, as `{%a, %b}`.
  std::string printDims(const BufferSpec &buffer) {
    std::vector<std::string> sizes;
    for (const SizeExpr &size : buffer.shape)
      if (!size.asConstant())
        sizes.push_back(formulas.print(size));
    return sizes.empty() ? "" : "{" + llvm::join(sizes, ", ") + "}";
  }

  /// Those of an argument are its own: IREE would believe that another one is
  /// the same, and drop the check of it.
  std::string printDims(BufferRef buffer) {
    if (buffer.kind != BufferRef::Kind::Argument)
      return printDims(specOf(buffer));
    std::vector<std::string> sizes;
    for (auto [dim, size] : llvm::enumerate(specOf(buffer).shape))
      if (!size.asConstant())
        sizes.push_back(
            argumentSizes.at({buffer.index, static_cast<unsigned>(dim)}));
    return sizes.empty() ? "" : "{" + llvm::join(sizes, ", ") + "}";
  }

  /// A result that is where another one, or an argument, is, has no buffer of
  /// its own.
  bool isOwn(BufferRef::Kind kind, unsigned index) const {
    if (kind != BufferRef::Kind::Result)
      return true;
    BufferRef place = program.resultBuffers[index];
    return place.kind == kind && place.index == index;
  }

  /// Empty tensors of one type are one to IREE, though dispatches write them:
  /// dimensions of size 1 tell them apart, which are nothing to a kernel.
  void printEmpty(std::vector<BufferSpec> &buffers,
                  std::vector<std::string> &values, BufferRef::Kind kind) {
    for (auto [index, buffer] : llvm::enumerate(buffers)) {
      values.emplace_back();
      if (!isOwn(kind, index))
        continue;
      while (!emptyTypes.insert(getTensorType(buffer)).second)
        buffer.shape.insert(buffer.shape.begin(), SizeExpr::constant(1));
      std::string sizes = printDims(buffer);
      values.back() = formulas.printOp(
          "flow.tensor.empty : " + getTensorType(buffer) + sizes);
    }
  }

  /// Buffers stand in the order of the kernel's pointers, so that this is that
  /// of the bindings; what is written takes the place of what was passed.
  void printDispatch(size_t index, const LaunchSpec &launch) {
    std::vector<std::string> workload, operands, types, tied;
    std::vector<BufferRef> written;
    for (const SizeExpr &size : launch.grid)
      workload.push_back(formulas.print(size));
    for (const KernelArgument &argument : launch.arguments) {
      if (const auto *integer = std::get_if<IntegerArgument>(&argument)) {
        operands.push_back(formulas.printInteger(integer->value));
        types.push_back("i32");
        continue;
      }
      BufferRef buffer = std::get<PointerArgument>(argument).buffer;
      std::string sizes = printDims(buffer);
      operands.push_back(valueOf(buffer));
      types.push_back(getTensorType(specOf(buffer)) + sizes);
      if (isWritten(buffer)) {
        written.push_back(buffer);
        tied.push_back(valueOf(buffer) + sizes);
      }
    }
    std::string results = "%d" + std::to_string(index);
    os << "    " << results << ":" << written.size() << " = flow.dispatch @"
       << names.getExecutable() << "::@" << names.getExport(index) << "["
       << llvm::join(workload, ", ") << "](" << llvm::join(operands, ", ")
       << ") : (" << llvm::join(types, ", ") << ") -> ("
       << llvm::join(tied, ", ") << ")\n";
    for (auto [place, buffer] : llvm::enumerate(written))
      valueOf(buffer) = results + "#" + std::to_string(place);
  }

  bool isWritten(BufferRef buffer) const {
    return isWrittenByKernels(program, buffer);
  }

  void printReturn() {
    std::vector<std::string> values, types;
    for (auto [place, result] :
         llvm::zip_equal(program.resultBuffers, program.results)) {
      std::string type = getTensorType(result), value = valueOf(place);
      if (std::string other = getTensorType(specOf(place)); other != type)
        value = formulas.printOp("flow.tensor.reshape " + value + " : " +
                                 other + printDims(place) + " -> " + type +
                                 printDims(result));
      values.push_back(value);
      types.push_back(type);
    }
    os << "    \"util.return\"(" << llvm::join(values, ", ") << ") : ("
       << llvm::join(types, ", ") << ") -> ()\n";
  }

  llvm::raw_ostream &os;
  const IreeProgram &compiled;
  const Program &program;
  const IreePrinter &names;
  /// It stands in a spec, for attention of a model.
  bool isPrivate;
  FormulaPrinter formulas;
  /// As dispatches take them.
  std::vector<BufferSpec> results, workspaces;
  std::set<std::string> emptyTypes;
  /// The values that are sizes of arguments, by number and dimension.
  std::map<std::pair<unsigned, unsigned>, std::string> argumentSizes;
  std::vector<std::string> argumentValues, resultValues, workspaceValues;
};
} // namespace

void IreePrinter::printFunction(StringRef visibility, StringRef name) {
  os << "  util.func " << visibility << " @" << name << "(";
  std::vector<std::string> arguments, results;
  for (auto [index, argument] : llvm::enumerate(program.arguments))
    arguments.push_back("%arg" + std::to_string(index) + ": " +
                        getTensorType(argument));
  for (const BufferSpec &result : program.results)
    results.push_back(getTensorType(result));
  os << llvm::join(arguments, ", ") << ") -> (" << llvm::join(results, ", ")
     << ") {\n";
  FunctionPrinter(os, compiled, *this, visibility == "private").print();
  os << "  }\n";
}
