//===- Header.cpp - The package for people who write C --------------------===//
//
// Everything in a header starts with the function's identifier and its chip,
// so that headers of several programs can be included together. What they share
// is guarded.
//
//===----------------------------------------------------------------------===//

#include "HeaderLaunches.h"
#include "SparseAttn/Package/Files/Package.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using llvm::StringRef;

static constexpr StringRef kShared = R"(
#ifndef SPARSE_ATTN_FORMULAS
#define SPARSE_ATTN_FORMULAS
/* A kernel's parameter. */
typedef union {
  uint64_t pointer;
  int64_t i64;
  int32_t i32;
} sparse_attn_value;

)";

static constexpr StringRef kUsage = R"(
   With the CUDA driver API: load the PTX or the cubin (cuModuleLoadData), look
   up each kernel's name (cuModuleGetFunction), set its limit of dynamic shared
   memory (CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) to what its launches
   need, and make all launches on one stream, in order. One whose grid has a 0
   is left out; one of more than 2147483647 blocks fits no device.

     for (int i = 0; i < @_NUM_LAUNCHES; ++i) {
       @_launch l;
       @_get_launch(i, &sizes, &buffers, &l);
       if (l.grid[0] > 0 && l.grid[1] > 0 && l.grid[2] > 0)
         cuLaunchKernel(kernels[i], l.grid[0], l.grid[1], l.grid[2],
                        l.block[0], l.block[1], l.block[2], l.shared_bytes,
                        stream, l.parameters, NULL);
     }

   Elements of a row are side by side; tensors marked "any strides" need the
   strides of all dimensions in `buffers`, in elements and multiples of what is
   said there, and the others are dense and row-major. Sizes are below 2^31.
   Nothing here checks for overflow.
)";

namespace {
class HeaderPrinter {
public:
  HeaderPrinter(const PackagedProgram &packaged, llvm::raw_ostream &os)
      : program(packaged.program), variants(listVariants(packaged)), os(os),
        prefix(makeIdentifier(program.name) + "_" + packaged.chip),
        launches(packaged, prefix, os) {}

  void print() {
    printComment();
    os << "#ifndef SPARSE_ATTN_PACKAGE_" << prefix
       << "\n#define SPARSE_ATTN_PACKAGE_" << prefix
       << "\n#include <stdint.h>\n"
       << kShared << ::sparse_attn::formula::printCFunctions(kFunctionPrefix)
       << "#endif\n";
    printTypes();
    launches.printTypes();
    launches.printChoice();
    printSizes();
    launches.printFunctions();
    os << "#endif\n";
  }

private:
  void printComment() {
    os << "/* " << prefix << ": made by sparse_attn " << SPARSE_ATTN_VERSION
       << "; do not edit.\n";
    std::string usage;
    for (char c : kUsage)
      c == '@' ? usage += prefix : usage += c;
    os << usage;
    launches.printUsage();
    os << "   All addresses are multiples of " << kBufferAlignment
       << " bytes.\n\n";
    for (auto [index, buffer] : llvm::enumerate(program.arguments))
      printTensor("argument", index, buffer);
    for (auto [index, buffer] : llvm::enumerate(program.results)) {
      printTensor("result", index, buffer);
      BufferRef ref = program.resultBuffers[index];
      bool isArgument = ref.kind == BufferRef::Kind::Argument;
      if (isArgument || ref.index != index)
        os << "     in " << (isArgument ? "argument " : "result ") << ref.index
           << "\n";
    }
    os << "*/\n";
  }

  void printTensor(StringRef kind, size_t index, const BufferSpec &buffer) {
    os << "   " << kind << " " << index << ": ";
    if (!buffer.roles.empty())
      os << llvm::join(buffer.roles, " and ") << ", ";
    os << buffer.elementType << " [";
    llvm::interleaveComma(buffer.shape, os,
                          [&](const SizeExpr &size) { os << size.str(); });
    os << "]";
    if (buffer.isStrided)
      os << ", any strides, multiples of " << buffer.strideMultiple();
    os << "\n";
  }

  void printTypes() {
    os << "\n/* What is known at run time only. */\ntypedef struct {\n";
    for (const SizeSpec &size : program.sizes)
      os << "  int64_t " << size.name << ";\n";
    bool asksForDevice = dependsOnDevice();
    if (asksForDevice)
      os << "  int64_t " << ::sparse_attn::formula::kSmCount
         << "; /* the device's multiprocessors */\n";
    if (program.sizes.empty() && !asksForDevice)
      os << "  int64_t none;\n";
    os << "} " << prefix << "_sizes;\n\n"
       << "/* Addresses on the device. */\ntypedef struct {\n"
       << "  uint64_t arguments["
       << std::max<size_t>(program.arguments.size(), 1) << "];\n"
       << "  uint64_t results[" << std::max<size_t>(program.results.size(), 1)
       << "];\n  uint64_t workspace;\n";
    printStrides("argument_strides", program.arguments);
    printStrides("result_strides", program.results);
    os << "} " << prefix << "_buffers;\n\n";
  }

  /// Whether a formula has what is no size of a tensor.
  bool dependsOnDevice() const {
    std::set<std::string> names;
    for (const ProgramVariant &variant : variants) {
      variant.when.collectSizes(names);
      getWorkspaceBytes(variant).collectSizes(names);
      for (const LaunchSpec &launch : variant.program->launches) {
        for (const SizeExpr &size : launch.grid)
          size.collectSizes(names);
        for (const KernelArgument &argument : launch.arguments)
          if (const auto *integer = std::get_if<IntegerArgument>(&argument))
            integer->value.collectSizes(names);
      }
    }
    return names.count(std::string(::sparse_attn::formula::kSmCount)) > 0;
  }

  void printStrides(StringRef name, llvm::ArrayRef<BufferSpec> buffers) {
    size_t rank = 0;
    for (const BufferSpec &buffer : buffers)
      if (buffer.isStrided)
        rank = std::max<size_t>(rank, buffer.shape.size());
    if (rank > 0)
      os << "  int64_t " << name << "[" << buffers.size() << "][" << rank
         << "];\n";
  }

  void printFormula(const SizeExpr &formula) {
    os << formula.strAsC("n->", kFunctionPrefix);
  }

  /// A function of the sizes.
  void printFunction(const llvm::Twine &name, const SizeExpr &formula) {
    os << "static inline int64_t " << prefix << "_" << name << "(const "
       << prefix << "_sizes *n) {\n  (void)n;\n  return ";
    printFormula(formula);
    os << ";\n}\n\n";
  }

  void printSizes() {
    os << "/* Not 0 where the sizes fit together. */\n";
    SizeExpr all = SizeExpr::constant(1);
    for (const Condition &condition : program.conditions)
      all = all * condition.formula;
    printFunction("sizes_fit", all);
    for (auto [index, result] : llvm::enumerate(program.results))
      printFunction("result_bytes_" + llvm::Twine(index), result.bytes());
    // The last of the variants takes all sizes.
    SizeExpr bytes;
    for (const ProgramVariant &variant : llvm::reverse(variants))
      bytes = SizeExpr::select(variant.when, getWorkspaceBytes(variant), bytes);
    printFunction("workspace_bytes", bytes);
    size_t next = 0;
    for (const ProgramVariant &variant : variants)
      for (size_t i = 0; i < variant.program->workspaces.size(); ++i)
        printFunction("workspace_offset_" + llvm::Twine(next++),
                      variant.program->workspaceOffset(i));
  }

  static SizeExpr getWorkspaceBytes(const ProgramVariant &variant) {
    return variant.program->workspaceOffset(variant.program->workspaces.size());
  }

  const Program &program;
  std::vector<ProgramVariant> variants;
  llvm::raw_ostream &os;
  std::string prefix;
  LaunchPrinter launches;
};
} // namespace

std::string package::printHeader(const PackagedProgram &packaged) {
  std::string text;
  llvm::raw_string_ostream os(text);
  HeaderPrinter(packaged, os).print();
  return text;
}
