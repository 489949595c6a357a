//===- Manifest.cpp - The package for programs to read --------------------===//
//
// The keys are an interface, described in docs/Package.md: programs outside
// this project read them.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/Files/Package.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using llvm::StringRef;
using llvm::json::OStream;

static std::string toUTF8(StringRef text) {
  return llvm::json::isUTF8(text) ? text.str() : llvm::json::fixUTF8(text);
}

/// Constants as numbers, all else as text.
static llvm::json::Value toJson(const SizeExpr &formula) {
  if (std::optional<int64_t> constant = formula.asConstant())
    return *constant;
  return formula.str();
}

/// Writes a value on one line.
static void printCompact(OStream &json, StringRef key,
                         const llvm::json::Value &value) {
  std::string text;
  llvm::raw_string_ostream(text) << value;
  json.attributeBegin(key);
  json.rawValue(text);
  json.attributeEnd();
}

/// A list of objects.
template <typename Range, typename Print>
static void printList(OStream &json, StringRef key, const Range &range,
                      Print print) {
  json.attributeArray(key, [&] {
    for (const auto &element : range)
      json.object([&] { print(element); });
  });
}

static void printFormulas(OStream &json, StringRef key,
                          llvm::ArrayRef<SizeExpr> formulas) {
  llvm::json::Array array;
  for (const SizeExpr &formula : formulas)
    array.push_back(toJson(formula));
  printCompact(json, key, std::move(array));
}

static void printBuffer(OStream &json, const BufferSpec &buffer, bool isHost) {
  llvm::json::Array roles;
  for (const std::string &role : buffer.roles)
    roles.push_back(role);
  printCompact(json, "roles", std::move(roles));
  json.attribute("type", buffer.elementType);
  printFormulas(json, "shape", buffer.shape);
  json.attribute("bytes", toJson(buffer.bytes()));
  json.attribute("layout", buffer.isStrided ? "strided" : "dense");
  if (buffer.isStrided)
    json.attribute("stride_multiple", isHost ? 1 : buffer.strideMultiple());
}

static llvm::json::Object toJson(BufferRef ref) {
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

static void printTarget(OStream &json, const PackagedProgram &packaged) {
  json.attributeObject("target", [&] {
    json.attribute("chip", packaged.chip);
    StringRef version =
        StringRef(packaged.ptx).split(".version ").second.split('\n').first;
    json.attribute("ptx_version", version.trim());
    json.attribute("min_compute_capability",
                   getComputeCapability(packaged.chip));
    json.attribute("this_chip_only", isArchitectureSpecific(packaged.chip));
  });
}

static void printHostTarget(OStream &json, const PackagedProgram &packaged) {
  json.attributeObject("target", [&] {
    json.attribute("cpu", packaged.chip);
    json.attribute("triple", kHostTriple);
  });
  json.attribute("entry", packaged.entry);
}

static void printFiles(OStream &json, llvm::ArrayRef<OutputFile> files) {
  printList(json, "files", files, [&](const OutputFile &file) {
    llvm::SHA256 hash;
    hash.update(file.contents);
    json.attribute("kind", file.kind);
    json.attribute("name", file.name);
    json.attribute("size", static_cast<int64_t>(file.contents.size()));
    json.attribute("sha256", llvm::toHex(hash.final(), /*LowerCase=*/true));
  });
}

static void printAttention(OStream &json, const AttentionSpec &attention) {
  json.attribute("mask", toUTF8(attention.mask));
  for (const auto &[name, value] : attention.parameters)
    json.attribute(name, value);
  json.attribute("type", attention.elementType);
  json.attribute("head_size", attention.headSize);
  json.attribute("value_head_size", attention.valueHeadSize);
  json.attribute("lse", attention.hasLse);
  printCompact(json, "tile",
               llvm::json::Array{attention.tileQueries, attention.tileKeys});
  llvm::json::Array lines;
  for (StringRef line : llvm::split(StringRef(attention.plan).rtrim(), '\n'))
    lines.push_back(line);
  json.attribute("plan", std::move(lines));
}

/// Code for the host asks for no more than C does.
static int64_t getHostAlignment(const Program &program) {
  int64_t bits = 8;
  for (const BufferSpec &buffer : program.arguments)
    bits = std::max(bits, buffer.elementBits);
  for (const BufferSpec &buffer : program.results)
    bits = std::max(bits, buffer.elementBits);
  return bits / 8;
}

static void printInterface(OStream &json, const PackagedProgram &packaged) {
  const Program &program = packaged.program;
  printList(json, "sizes", program.sizes, [&](const SizeSpec &size) {
    json.attribute("name", size.name);
    llvm::json::Array sources;
    for (SizeSource source : size.sources)
      sources.push_back(llvm::json::Object{{"argument", source.argument},
                                           {"dim", source.dim}});
    printCompact(json, "from", std::move(sources));
  });
  printList(json, "conditions", program.conditions,
            [&](const Condition &condition) {
              json.attribute("formula", toJson(condition.formula));
              json.attribute("text", condition.text);
            });
  json.attribute("alignment", packaged.isHost ? getHostAlignment(program)
                                              : kBufferAlignment);
  printList(json, "arguments", program.arguments,
            [&](const BufferSpec &buffer) {
              printBuffer(json, buffer, packaged.isHost);
            });
  json.attributeArray("results", [&] {
    for (auto [result, ref] :
         llvm::zip(program.results, program.resultBuffers)) {
      json.objectBegin();
      printBuffer(json, result, packaged.isHost);
      printCompact(json, "buffer", toJson(ref));
      json.objectEnd();
    }
  });
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

/// What the code computes with. The tests hold each sentence against the PTX.
static void printNumerics(OStream &json, const PackagedProgram &packaged) {
  const Program &program = packaged.program;
  bool hasF32 = false, hasHalf = false, hasLse = false;
  for (const AttentionSpec &attention : program.attentions) {
    (attention.elementType == "f32" ? hasF32 : hasHalf) = true;
    hasLse |= attention.hasLse;
  }
  json.attributeArray("numerics", [&] {
    json.value("Scores, softmax and sums are f32.");
    if (packaged.isHost) {
      json.value("Products are f32; f16 and bf16 are widened, and only results "
                 "are rounded.");
      json.value("The exponential has an error below 0.8 units in the last "
                 "place; below 2^-126 it is 0.");
    } else {
      if (hasHalf)
        json.value("f16 and bf16: softmax's weights are rounded to the type of "
                   "the values before they meet them.");
      if (hasF32)
        json.value("f32: products keep f32 accuracy, by six products of bf16 "
                   "each.");
      json.value("The exponential is ex2.approx.ftz: below 2^-126 it is 0.");
    }
    json.value("A query without a key gets output 0.");
    if (hasLse)
      json.value("LSE is the natural logarithm, and -inf for a query without a "
                 "key.");
  });
}

static void printProgram(OStream &json, const PackagedProgram &packaged) {
  const Program &program = packaged.program;
  json.attribute("name", toUTF8(program.name));
  if (packaged.isHost)
    printHostTarget(json, packaged);
  else
    printTarget(json, packaged);
  printFiles(json, packaged.files);
  json.attributeObject("options", [&] {
    for (const auto &[name, value] : packaged.options)
      json.attribute(name, value);
  });
  printList(
      json, "attentions", program.attentions,
      [&](const AttentionSpec &attention) { printAttention(json, attention); });
  printInterface(json, packaged);
  if (!packaged.isHost) {
    printWorkspace(json, program);
    printLaunches(json, program);
  }
  printNumerics(json, packaged);
}

std::string package::printManifest(llvm::ArrayRef<PackagedProgram> programs) {
  std::string text;
  llvm::raw_string_ostream os(text);
  OStream json(os, /*IndentSize=*/2);
  json.object([&] {
    json.attribute("schema_version", kManifestSchema);
    json.attributeObject("generator", [&] {
      json.attribute("name", "sparse_attn");
      json.attribute("version", SPARSE_ATTN_VERSION);
    });
    // Apart, as readers of the first packages know GPUs only.
    auto printAll = [&](StringRef key, bool isHost) {
      json.attributeArray(key, [&] {
        for (const PackagedProgram &program : programs)
          if (program.isHost == isHost)
            json.object([&] { printProgram(json, program); });
      });
    };
    printAll("programs", /*isHost=*/false);
    if (llvm::any_of(programs, [](const PackagedProgram &program) {
          return program.isHost;
        }))
      printAll("host_programs", /*isHost=*/true);
  });
  os << '\n';
  return text;
}
