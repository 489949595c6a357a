//===- PrintModule.cpp - The executable of a program ----------------------===//

#include "PrintModule.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

bool package::isWrittenByKernels(const Program &program, BufferRef buffer) {
  if (buffer.kind != BufferRef::Kind::Argument)
    return true;
  return llvm::any_of(program.resultBuffers, [&](BufferRef result) {
    return result.kind == BufferRef::Kind::Argument &&
           result.index == buffer.index;
  });
}

static bool isPointer(const KernelArgument &argument) {
  return std::holds_alternative<PointerArgument>(argument);
}

static std::string getLayout(const Program &program, const LaunchSpec &launch) {
  std::string bindings;
  size_t constants = 0;
  for (const KernelArgument &argument : launch.arguments) {
    const auto *pointer = std::get_if<PointerArgument>(&argument);
    if (!pointer) {
      ++constants;
      continue;
    }
    bindings += bindings.empty() ? "" : ", ";
    bindings += isWrittenByKernels(program, pointer->buffer)
                    ? "#hal.pipeline.binding<storage_buffer>"
                    : "#hal.pipeline.binding<storage_buffer, ReadOnly>";
  }
  return "#hal.pipeline.layout<constants = " + std::to_string(constants) +
         ", bindings = [" + bindings + "]>";
}

std::string IreePrinter::getExecutable() const {
  return "sparse_attn_" + makeIdentifier(program.name);
}

/// Kernels in PTX are found by their own name; those of an object file are
/// called by a function of that name.
std::string IreePrinter::getExport(size_t index) const {
  return compiled.isHost ? makeIdentifier(program.name) + "_dispatch_" +
                               std::to_string(index)
                         : program.launches[index].kernel;
}

void IreePrinter::printAliases() {
  os << "#sparse_attn_target = #hal.executable.target<"
     << (compiled.isHost ? "\"llvm-cpu\", \"embedded-elf-x86_64\""
                         : "\"cuda\", \"cuda-nvptx-fb\"")
     << ">\n";
  for (auto [index, launch] : llvm::enumerate(program.launches))
    os << "#sparse_attn_layout" << index << " = " << getLayout(program, launch)
       << "\n";
}

/// The grid's sizes are the workload, and computed where the kernel is
/// dispatched.
void IreePrinter::printExport(size_t index, const LaunchSpec &launch) {
  os << "    \"hal.executable.export\"() <{sym_name = \"" << getExport(index)
     << "\", sym_visibility = \"public\", ordinal = " << index
     << " : index, layout = #sparse_attn_layout" << index;
  if (!compiled.isHost) {
    os << ", workgroup_size = [";
    llvm::interleaveComma(launch.block, os, [&](const SizeExpr &size) {
      os << size.str() << " : index";
    });
    os << "], workgroup_local_memory = " << launch.sharedBytes.str()
       << " : index";
  }
  os << "}> ({\n"
     << "    ^bb0(%device: !hal.device, %x: index, %y: index, %z: index):\n"
     << "      \"hal.return\"(%x, %y, %z) : (index, index, index) -> ()\n"
     << "    }, {\n    }) : () -> ()\n";
}

/// The function that a worker runs for a workgroup: it passes bytes, integers
/// and the workgroup's number on.
void IreePrinter::printEntry(size_t index, const LaunchSpec &launch) {
  size_t buffers = llvm::count_if(launch.arguments, isPointer);
  size_t constants = launch.arguments.size() - buffers;
  llvm::SmallVector<std::string> types(buffers, "memref<?xi8>"), values;
  types.append(constants, "i32");
  types.push_back("index");
  std::string signature = llvm::join(types, ", ");
  std::string layout =
      "layout = #sparse_attn_layout" + std::to_string(index) + "}>";
  os << "      func.func private @" << launch.kernel << "(" << signature
     << ") attributes {hal.import.static}\n"
     << "      func.func @" << getExport(index) << "() {\n"
     << "        %zero = arith.constant 0 : index\n"
     << "        %bytes = arith.constant 1 : index\n";
  for (size_t i = 0; i < buffers; ++i) {
    values.push_back("%b" + std::to_string(i));
    os << "        " << values.back()
       << " = \"hal.interface.binding.subspan\"(%zero, %bytes) <{binding = "
       << i
       << " : index, alignment = 64 : index, operandSegmentSizes = "
          "array<i32: 1, 1>, "
       << layout << " : (index, index) -> memref<?xi8>\n";
  }
  for (size_t i = 0; i < constants; ++i) {
    values.push_back("%c" + std::to_string(i));
    os << "        " << values.back()
       << " = \"hal.interface.constant.load\"() <{ordinal = " << i
       << " : index, " << layout << " : () -> i32\n";
  }
  values.push_back("%workgroup");
  os << "        %workgroup = \"hal.interface.workgroup.id\"() <{dimension = 0 "
        ": index}> : () -> index\n"
     << "        func.call @" << launch.kernel << "("
     << llvm::join(values, ", ") << ") : (" << signature << ") -> ()\n"
     << "        return\n      }\n";
}

void IreePrinter::printExecutable() {
  os << "  \"hal.executable.source\"() <{sym_name = \"" << getExecutable()
     << "\", sym_visibility = \"private\", objects = "
        "#hal.executable.objects<{#sparse_attn_target = "
        "[#hal.executable.object<{path = \""
     << compiled.objectFile << "\"}>]}>}> ({\n";
  for (auto [index, launch] : llvm::enumerate(program.launches))
    printExport(index, launch);
  if (compiled.isHost) {
    os << "    builtin.module {\n";
    for (auto [index, launch] : llvm::enumerate(program.launches))
      printEntry(index, launch);
    os << "    }\n";
  }
  os << "    \"hal.executable.source_end\"() : () -> ()\n"
     << "  }) : () -> ()\n";
}

std::string package::printIreeModule(const IreeProgram &compiled) {
  std::string text;
  llvm::raw_string_ostream os(text);
  IreePrinter printer(os, compiled);
  os << "// '";
  llvm::printEscapedString(compiled.program.name, os);
  os << "' for " << compiled.target
     << ", by sparse-attn-compile --emit=iree.\n";
  printer.printAliases();
  os << "module {\n";
  printer.printExecutable();
  printer.printFunction("public", makeIdentifier(compiled.program.name));
  os << "}\n";
  return text;
}
