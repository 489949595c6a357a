//===- ManifestVariants.cpp - How a program is launched -------------------===//
//
// For programs to read: docs/Package.md describes it.
//
//===----------------------------------------------------------------------===//

#include "ManifestParts.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using llvm::StringRef;
using llvm::json::OStream;

std::string package::toUTF8(StringRef text) {
  return llvm::json::isUTF8(text) ? text.str() : llvm::json::fixUTF8(text);
}

llvm::json::Value package::toJson(const SizeExpr &formula) {
  if (std::optional<int64_t> constant = formula.asConstant())
    return *constant;
  return formula.str();
}

void package::printCompact(OStream &json, StringRef key,
                           const llvm::json::Value &value) {
  std::string text;
  llvm::raw_string_ostream(text) << value;
  json.attributeBegin(key);
  json.rawValue(text);
  json.attributeEnd();
}

void package::printFormulas(OStream &json, StringRef key,
                            llvm::ArrayRef<SizeExpr> formulas) {
  llvm::json::Array array;
  for (const SizeExpr &formula : formulas)
    array.push_back(toJson(formula));
  printCompact(json, key, std::move(array));
}

llvm::json::Object package::toJson(BufferRef ref) {
  switch (ref.kind) {
  case BufferRef::Kind::Argument:
    return llvm::json::Object{{"argument", ref.index}};
  case BufferRef::Kind::Result:
    return llvm::json::Object{{"result", ref.index}};
  case BufferRef::Kind::Workspace:
    break;
  }
  return llvm::json::Object{{"workspace", ref.index}};
}

void package::printPlan(OStream &json, const AttentionSpec &attention) {
  printCompact(json, "tile",
               llvm::json::Array{attention.tileQueries, attention.tileKeys});
  llvm::json::Array lines;
  for (StringRef line : llvm::split(StringRef(attention.plan).rtrim(), '\n'))
    lines.push_back(line);
  json.attribute("plan", std::move(lines));
}

static void printWorkspace(OStream &json, const Program &program) {
  json.attributeObject("workspace", [&] {
    size_t count = program.workspaces.size();
    json.attribute("bytes", toJson(program.workspaceOffset(count)));
    json.attributeArray("buffers", [&] {
      for (size_t i = 0; i < count; ++i) {
        json.objectBegin();
        json.attribute("offset", toJson(program.workspaceOffset(i)));
        json.attribute("type", program.workspaces[i].elementType);
        printFormulas(json, "shape", program.workspaces[i].shape);
        json.attribute("bytes", toJson(program.workspaces[i].bytes()));
        json.objectEnd();
      }
    });
  });
}

static llvm::json::Value toJson(const PointerArgument &argument) {
  return toJson(argument.buffer);
}

static llvm::json::Value toJson(const StrideArgument &argument) {
  llvm::json::Object stride = toJson(argument.buffer);
  stride["dim"] = argument.dim;
  return llvm::json::Object{{"stride", std::move(stride)}};
}

static llvm::json::Value toJson(const IntegerArgument &argument) {
  return llvm::json::Object{
      {argument.bits == 32 ? "i32" : "i64", toJson(argument.value)}};
}

static llvm::json::Value toJson(const TensorMapArgument &argument) {
  llvm::json::Object map = toJson(argument.buffer);
  map["type"] = argument.elementType;
  llvm::json::Array sizes, strides;
  for (const SizeExpr &size : argument.sizes)
    sizes.push_back(toJson(size));
  map["sizes"] = std::move(sizes);
  if (argument.isStrided)
    for (size_t dim = 0; dim + 1 < argument.sizes.size(); ++dim)
      strides.push_back(llvm::json::Object{{"dim", dim}});
  else
    for (const SizeExpr &stride : argument.denseStrides())
      strides.push_back(toJson(stride));
  map["strides"] = std::move(strides);
  map["box"] = llvm::json::Array(argument.box);
  map["swizzle"] = argument.swizzle;
  return llvm::json::Object{{"tensor_map", std::move(map)}};
}

static llvm::json::Value toJson(const KernelArgument &argument) {
  return std::visit([](const auto &kind) { return toJson(kind); }, argument);
}

static void printLaunches(OStream &json, const Program &program) {
  printList(json, "launches", program.launches, [&](const LaunchSpec &launch) {
    json.attribute("kernel", launch.kernel);
    printFormulas(json, "grid", launch.grid);
    printFormulas(json, "block", launch.block);
    json.attribute("shared_bytes", toJson(launch.sharedBytes));
    llvm::json::Array arguments;
    for (const KernelArgument &argument : launch.arguments)
      arguments.push_back(toJson(argument));
    printCompact(json, "arguments", std::move(arguments));
  });
}

void package::printVariants(OStream &json, const PackagedProgram &packaged) {
  printList(json, "variants", listVariants(packaged),
            [&](const ProgramVariant &variant) {
              json.attribute("when", toJson(variant.when));
              printList(json, "plans", variant.program->attentions,
                        [&](const AttentionSpec &attention) {
                          json.attribute("mask", toUTF8(attention.mask));
                          printPlan(json, attention);
                        });
              printWorkspace(json, *variant.program);
              printLaunches(json, *variant.program);
            });
}
