//===- PrintSpec.cpp - A transform spec that replaces attention -----------===//

#include "PrintModule.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using llvm::StringRef;

namespace {
/// Prints what is matched: the attention, and what makes its mask. IREE
/// compares op by op, and no value that a region takes from outside, such as
/// a constant.
class PatternPrinter {
public:
  PatternPrinter(llvm::raw_ostream &os, const IreeProgram &compiled)
      : os(os), attention(compiled.attention), program(compiled.program) {}

  /// Prints all matchers, and returns their number.
  unsigned print() {
    if (attention.mask == IreeAttention::Mask::None) {
      printMatcher("", [] {});
      return count;
    }
    if (attention.isTriangle)
      printMatcher("i1", [&] { printTriangle(); });
    if (attention.pairs.empty())
      return count;
    printMatcher("i1", [&] { printConstant("i1", "01", "00"); });
    // 0 and minus infinity, little-endian.
    const std::string &type = attention.elementType;
    if (type == "f32")
      printMatcher(type, [&] { printConstant(type, "00000000", "000080FF"); });
    else
      printMatcher(type, [&] {
        printConstant(type, "0000", type == "f16" ? "00FC" : "80FF");
      });
    return count;
  }

private:
  std::string getMaskType(StringRef type) const {
    std::string shape;
    if (attention.heads > 1)
      shape = std::to_string(attention.heads) + "x";
    for (unsigned argument : {0, 1}) {
      const SizeExpr &size = program.arguments[argument].shape[2];
      shape += (size.asConstant() ? size.str() : "?") + "x";
    }
    return ("tensor<" + shape + type + ">").str();
  }

  /// Whether the key does not stand behind the query.
  void printTriangle() {
    std::string type = getMaskType("i1");
    os << "      %pairs = tensor.empty("
       << (StringRef(type).contains('?') ? "%rows, %keys" : "")
       << ") {\"match.operation_name_only\"} : " << type << "\n"
       << "      %mask = linalg.generic {indexing_maps = [affine_map<(i, j) -> "
          "(i, j)>], iterator_types = [\"parallel\", \"parallel\"]} "
          "outs(%pairs : "
       << type << ") {\n      ^bb0(%out: i1):\n"
       << "        %i = linalg.index 0 : index\n"
       << "        %j = linalg.index 1 : index\n"
       << "        %live = arith.cmpi sle, %j, %i : index\n"
       << "        linalg.yield %live : i1\n      } -> " << type << "\n";
  }

  void printConstant(StringRef type, StringRef live, StringRef masked) {
    os << "      %mask = arith.constant dense<\"0x";
    for (bool pair : attention.pairs)
      os << (pair ? live : masked);
    os << "\"> : " << getMaskType(type) << "\n";
  }

  void printMatcher(StringRef maskType, llvm::function_ref<void()> printMask) {
    os << "\n  transform.named_sequence @match_" << count++
       << "(%root: !transform.any_op {transform.readonly})\n"
       << "      -> (!transform.any_value, !transform.any_value) {\n"
       << "    %ins, %outs = "
          "transform.iree.match.cast_compatible_dag_from_root "
          "%root {\n    ^bb0(";
    const char *names[] = {"%q", "%k", "%v"};
    for (auto [name, argument] : llvm::zip(names, program.arguments))
      os << (name == names[0] ? "" : ", ") << name << ": "
         << getTensorType(argument);
    os << "):\n";
    printSizes();
    printMask();
    printAttention(maskType);
    os << "    } : (!transform.any_op) -> (!transform.any_value, "
          "!transform.any_value)\n"
       << "    transform.yield %ins, %outs : !transform.any_value, "
          "!transform.any_value\n  }\n";
  }

  /// Prints sizes for empty tensors; no size of these is compared.
  void printSizes() {
    for (auto [dim, name] :
         {std::pair(0, "%batch"), {1, "%heads"}, {2, "%rows"}, {3, "%size"}})
      os << "      %d" << dim << " = arith.constant " << dim << " : index\n"
         << "      " << name << " = tensor.dim %q, %d" << dim << " : "
         << getTensorType(program.arguments[0]) << "\n";
    os << "      %keys = tensor.dim %k, %d2 : "
       << getTensorType(program.arguments[1]) << "\n";
  }

  void printAttention(StringRef maskType) {
    const BufferSpec &result = program.results.front();
    std::vector<std::string> sizes;
    const char *names[] = {"%batch", "%heads", "%rows", "%size"};
    for (auto [size, name] : llvm::zip(result.shape, names))
      if (!size.asConstant())
        sizes.push_back(name);
    const char *dims = "affine_map<(b, h, m, n, k1, k2) -> (";
    bool hasMask = !maskType.empty();
    const std::string &type = attention.elementType;
    os << "      %scale = arith.constant "
       << llvm::format("%.17e", attention.scale) << " : " << type << "\n"
       << "      %empty = tensor.empty(" << llvm::join(sizes, ", ")
       << ") {\"match.operation_name_only\"} : " << getTensorType(result)
       << "\n      %o = iree_linalg_ext.attention <{indexing_maps = [" << dims
       << "b, h, m, k1)>, " << dims << "b, h, k2, k1)>, " << dims
       << "b, h, k2, n)>, " << dims << ")>, ";
    if (hasMask)
      os << dims << (attention.heads > 1 ? "h, " : "") << "m, k2)>, ";
    os << dims << "b, h, m, n)>]}> ins(%q, %k, %v, %scale"
       << (hasMask ? ", %mask" : "") << " : ";
    for (const BufferSpec &argument : program.arguments)
      os << getTensorType(argument) << ", ";
    os << type << (hasMask ? ", " + getMaskType(maskType) : "")
       << ") outs(%empty : " << getTensorType(result) << ") {\n"
       << "      ^bb0(%score: f32):\n"
       << "        iree_linalg_ext.yield %score : f32\n      } -> "
       << getTensorType(result) << "\n";
  }

  llvm::raw_ostream &os;
  const IreeAttention &attention;
  const Program &program;
  unsigned count = 0;
};
} // namespace

/// Calls the function in place of what was matched, and looks for it in all
/// functions.
static void printReplacement(llvm::raw_ostream &os, StringRef executable,
                             StringRef function, unsigned matchers) {
  os << R"(
  transform.named_sequence @replace(
      %ins: !transform.any_value {transform.readonly},
      %out: !transform.any_value {transform.readonly}) {
    %root = transform.get_defining_op %out : (!transform.any_value) -> !transform.any_op
    %module = transform.util.get_nearest_symbol_table %root : (!transform.any_op) -> !transform.any_op
    %executable = transform.util.import_symbol @)"
     << executable
     << R"( into %module if undefined : (!transform.any_op) -> !transform.any_op
    %function = transform.util.import_symbol @)"
     << function
     << R"( into %module if undefined : (!transform.any_op) -> !transform.any_op
    transform.util.cast_and_call %function(%ins) -> %out after %root {
      transform.type_conversion.tensor.cast_shape_dynamic_dims
    } : (!transform.any_op, !transform.any_value, !transform.any_value, !transform.any_op) -> !transform.any_op
    transform.yield
  }

  transform.named_sequence @__transform_main(%module: !transform.any_op) {
    %functions = transform.structured.match ops{["util.func"]} in %module : (!transform.any_op) -> !transform.any_op
    transform.foreach %functions : !transform.any_op {
    ^bb0(%function: !transform.any_op):
      transform.foreach_match in %function
)";
  for (unsigned i = 0; i < matchers; ++i)
    os << "          @match_" << i << " -> @replace"
       << (i + 1 < matchers ? ",\n" : "\n");
  os << R"(        : (!transform.any_op) -> !transform.any_op
    }
    transform.apply_dce to %module : !transform.any_op
    transform.yield
  }
)";
}

std::string package::printIreeSpec(const IreeProgram &compiled) {
  std::string text;
  llvm::raw_string_ostream os(text);
  IreePrinter printer(os, compiled);
  std::string function = "call_" + printer.getExecutable();
  os << "// Calls '";
  llvm::printEscapedString(compiled.program.name, os);
  os << "' for " << compiled.target << " in place of equal attention:\n"
     << "// iree-compile --iree-preprocessing-transform-spec-filename.\n";
  printer.printAliases();
  os << "module attributes {transform.with_named_sequence} {\n";
  printer.printExecutable();
  printer.printFunction("private", function);
  unsigned matchers = PatternPrinter(os, compiled).print();
  printReplacement(os, printer.getExecutable(), function, matchers);
  os << "}\n";
  return text;
}
