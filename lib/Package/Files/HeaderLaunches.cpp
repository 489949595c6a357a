//===- HeaderLaunches.cpp - How a header launches kernels -----------------===//

#include "HeaderLaunches.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using llvm::StringRef;

static constexpr StringRef kMapUsage = R"(
   Some parameters are tensor maps, which the caller encodes: for each of the
   first l.num_maps of l.maps, before the launch,

     CUtensorMap map; (one each, until the launch has been made)
     const sparse_attn_tensor_map *m = &l.maps[j];
     cuTensorMapEncodeTiled(&map, m->type, m->rank, (void *)m->address,
                            m->sizes, m->strides, m->box, m->element_strides,
                            0, m->swizzle, 0, 0);
     l.parameters[m->parameter] = &map;

   That needs a driver of CUDA 12.0, addresses and strides that are multiples
   of 16 bytes, and tensors that have elements.
)";

static constexpr StringRef kMapType = R"(#ifndef SPARSE_ATTN_TENSOR_MAP
#define SPARSE_ATTN_TENSOR_MAP
/* What cuTensorMapEncodeTiled takes, in its order of dimensions, for parameter
   number `parameter`. */
typedef struct {
  uint64_t address, sizes[5], strides[4]; /* strides in bytes */
  uint32_t type, rank, box[5], element_strides[5], swizzle;
  int parameter;
} sparse_attn_tensor_map;
#endif

)";

LaunchPrinter::LaunchPrinter(const PackagedProgram &packaged, StringRef prefix,
                             llvm::raw_ostream &os)
    : variants(listVariants(packaged)), prefix(prefix), os(os) {
  for (const ProgramVariant &each : variants) {
    for (const LaunchSpec &launch : each.program->launches) {
      size_t maps =
          llvm::count_if(launch.arguments, [](const KernelArgument &argument) {
            return std::holds_alternative<TensorMapArgument>(argument);
          });
      maxParameters = std::max(maxParameters, launch.arguments.size());
      maxMaps = std::max(maxMaps, maps);
    }
  }
}

void LaunchPrinter::printUsage() {
  if (maxMaps > 0)
    os << kMapUsage;
}

void LaunchPrinter::printTypes() {
  if (maxMaps > 0)
    os << kMapType;
  os << "typedef struct {\n"
     << "  int64_t grid[3], block[3], shared_bytes;\n"
     << "  sparse_attn_value values[" << maxParameters << "];\n"
     << "  void *parameters[" << maxParameters << "]; /* point at values */\n";
  if (maxMaps > 0)
    os << "  sparse_attn_tensor_map maps[" << maxMaps
       << "];\n  int num_maps;\n";
  os << "} " << prefix << "_launch;\n\n";
}

void LaunchPrinter::printChoice() {
  if (variants.size() == 1)
    return;
  os << "/* Which of the variants is launched for the sizes. */\n"
     << "static inline int " << prefix << "_variant(const " << prefix
     << "_sizes *n) {\n";
  for (const auto &[index, each] : llvm::enumerate(llvm::drop_end(variants))) {
    os << "  if (";
    printFormula(each.when);
    os << ")\n    return " << index << ";\n";
  }
  os << "  return " << variants.size() - 1 << ";\n}\n\n";
}

void LaunchPrinter::printKernelNames() {
  size_t index = 0;
  os << "static inline const char *" << prefix
     << "_kernel(int launch) {\n  switch (launch) {\n";
  for (const ProgramVariant &each : variants)
    for (const LaunchSpec &launch : each.program->launches)
      os << "  case " << index++ << ":\n    return \"" << launch.kernel
         << "\";\n";
  os << "  default:\n    return 0;\n  }\n}\n\n";
}

void LaunchPrinter::printFunctions() {
  size_t count = 0;
  for (const ProgramVariant &each : variants)
    count += each.program->launches.size();
  os << "#define " << prefix << "_NUM_LAUNCHES " << count << "\n\n";
  printKernelNames();
  os << "static inline void " << prefix << "_get_launch(int launch, const "
     << prefix << "_sizes *n, const " << prefix << "_buffers *b, " << prefix
     << "_launch *l) {\n  (void)n;\n  (void)b;\n  switch (launch) {\n";
  size_t next = 0;
  for (const auto &[number, each] : llvm::enumerate(variants)) {
    variant = number;
    for (const LaunchSpec &launch : each.program->launches)
      printLaunch(next++, launch);
    firstOffset += each.program->workspaces.size();
  }
  os << "  default:\n    break;\n  }\n}\n\n";
}

void LaunchPrinter::printLaunch(size_t index, const LaunchSpec &launch) {
  os << "  case " << index << ":\n";
  for (unsigned axis = 0; axis < 3; ++axis)
    printAssignment("grid[" + llvm::Twine(axis) + "]", launch.grid[axis]);
  for (unsigned axis = 0; axis < 3; ++axis)
    printAssignment("block[" + llvm::Twine(axis) + "]", launch.block[axis]);
  printAssignment("shared_bytes", launch.sharedBytes);
  numMaps = 0;
  for (const auto &[number, argument] : llvm::enumerate(launch.arguments))
    std::visit([&, index = number](const auto &kind) { print(index, kind); },
               argument);
  if (maxMaps > 0)
    os << "    l->num_maps = " << numMaps << ";\n";
  os << "    for (int i = 0; i < " << launch.arguments.size()
     << "; ++i)\n      l->parameters[i] = &l->values[i];\n";
  if (variants.size() > 1)
    os << "    if (" << prefix << "_variant(n) != " << variant
       << ")\n      l->grid[0] = 0;\n";
  os << "    break;\n";
}

void LaunchPrinter::printAssignment(const llvm::Twine &field,
                                    const SizeExpr &formula) {
  os << "    l->" << field << " = ";
  printFormula(formula);
  os << ";\n";
}

void LaunchPrinter::printFormula(const SizeExpr &formula) {
  os << formula.strAsC("n->", kFunctionPrefix);
}

void LaunchPrinter::printAddress(BufferRef buffer) {
  os << "b->";
  switch (buffer.kind) {
  case BufferRef::Kind::Argument:
    os << "arguments[" << buffer.index << "]";
    break;
  case BufferRef::Kind::Result:
    os << "results[" << buffer.index << "]";
    break;
  case BufferRef::Kind::Workspace:
    os << "workspace + (uint64_t)" << prefix << "_workspace_offset_"
       << firstOffset + buffer.index << "(n)";
    break;
  }
}

void LaunchPrinter::printStride(BufferRef buffer, size_t dim) {
  bool isResult = buffer.kind == BufferRef::Kind::Result;
  os << "b->" << (isResult ? "result" : "argument") << "_strides["
     << buffer.index << "][" << dim << "]";
}

void LaunchPrinter::print(size_t index, const PointerArgument &argument) {
  os << "    l->values[" << index << "].pointer = ";
  printAddress(argument.buffer);
  os << ";\n";
}

void LaunchPrinter::print(size_t index, const StrideArgument &argument) {
  os << "    l->values[" << index << "].i64 = ";
  printStride(argument.buffer, argument.dim);
  os << ";\n";
}

void LaunchPrinter::print(size_t index, const IntegerArgument &argument) {
  os << "    l->values[" << index << "]."
     << (argument.bits == 32 ? "i32 = (int32_t)(" : "i64 = (");
  printFormula(argument.value);
  os << ");\n";
}

/// As the driver numbers it.
static int getMapType(const TensorMapArgument &map) {
  return llvm::StringSwitch<int>(map.elementType)
      .Case("f16", 6)
      .Case("f32", 7)
      .Case("bf16", 9);
}

/// As the driver numbers it.
static unsigned getMapSwizzle(const TensorMapArgument &map) {
  return map.swizzle == 0 ? 0 : llvm::Log2_64(map.swizzle / 16);
}

/// The driver counts dimensions from the innermost one.
void LaunchPrinter::print(size_t index, const TensorMapArgument &argument) {
  size_t rank = argument.sizes.size();
  std::string m = "    l->maps[" + std::to_string(numMaps++) + "].";
  os << m << "address = ";
  printAddress(argument.buffer);
  os << ";\n"
     << m << "type = " << getMapType(argument) << ";\n"
     << m << "rank = " << rank << ";\n"
     << m << "swizzle = " << getMapSwizzle(argument) << ";\n"
     << m << "parameter = " << index << ";\n";
  for (size_t i = 0; i < rank; ++i) {
    size_t dim = rank - 1 - i;
    os << m << "sizes[" << i << "] = (uint64_t)(";
    printFormula(argument.sizes[dim]);
    os << ");\n"
       << m << "box[" << i << "] = " << argument.box[dim] << ";\n"
       << m << "element_strides[" << i << "] = 1;\n";
  }
  for (size_t i = 0; i + 1 < rank; ++i) {
    size_t dim = rank - 2 - i;
    os << m << "strides[" << i << "] = " << argument.elementBits / 8
       << " * (uint64_t)(";
    if (argument.isStrided)
      printStride(argument.buffer, dim);
    else
      printFormula(argument.denseStrides()[dim]);
    os << ");\n";
  }
}
