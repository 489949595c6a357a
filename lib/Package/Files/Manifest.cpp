//===- Manifest.cpp - The package for programs to read --------------------===//
//
// The keys are an interface, described in docs/Package.md: programs outside
// this project read them.
//
//===----------------------------------------------------------------------===//

#include "ManifestParts.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using llvm::StringRef;
using llvm::json::OStream;

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
  printPlan(json, attention);
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
  if (!packaged.isHost)
    printVariants(json, packaged);
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
