//===- Manifest.cpp - Reading manifest.json -------------------------------===//
//
// Everything that a launch relies on is checked here, once: types, ranges,
// references and formulas.
//
//===----------------------------------------------------------------------===//

#include "Manifest.h"
#include <algorithm>
#include <tuple>

using namespace sparse_attn::runtime;

/// Formats that are read. Programs of the older one have no variants.
static constexpr int64_t kOldestSchema = 2, kSchemaVersion = 3;

// The names are in the order of SparseAttnType.
static constexpr const char *kTypeNames[] = {"f16", "bf16", "f32", "f64",
                                             "i8",  "i16",  "i32", "i64"};
static constexpr int64_t kTypeBytes[] = {2, 2, 4, 8, 1, 2, 4, 8};

const char *sparse_attn::runtime::getTypeName(SparseAttnType type) {
  auto index = static_cast<size_t>(type);
  return index < std::size(kTypeNames) ? kTypeNames[index] : "an unknown type";
}

int64_t sparse_attn::runtime::getTypeBytes(SparseAttnType type) {
  return kTypeBytes[static_cast<size_t>(type)];
}

SparseAttnType sparse_attn::runtime::readType(const JsonNode &node) {
  std::string type = node.text();
  const auto *it =
      std::find(std::begin(kTypeNames), std::end(kTypeNames), type);
  if (it == std::end(kTypeNames))
    node.error("is '" + type + "', which this runtime cannot pass");
  return static_cast<SparseAttnType>(it - std::begin(kTypeNames));
}

std::optional<BufferRef>
sparse_attn::runtime::readBuffer(const JsonNode &node, const Variant &variant,
                                 size_t numWorkspaces) {
  auto read = [&](const char *key, BufferRef::Kind kind, size_t count) {
    size_t index = node[key].integer(0, INT32_MAX);
    if (index >= count)
      node[key].error("is " + std::to_string(index) + ", of " +
                      std::to_string(count));
    return BufferRef{kind, index};
  };
  if (node.has("argument"))
    return read("argument", BufferRef::Kind::Argument,
                variant.arguments.size());
  if (node.has("result"))
    return read("result", BufferRef::Kind::Result, variant.results.size());
  if (node.has("workspace"))
    return read("workspace", BufferRef::Kind::Workspace, numWorkspaces);
  return std::nullopt;
}

namespace {
class VariantReader {
public:
  VariantReader(const JsonNode &json, int64_t schema, Variant &variant)
      : json(json), schema(schema), variant(variant) {}

  void read() {
    variant.name = json["name"].text();
    if (variant.isHost)
      readHostTarget();
    else
      readTarget();
    readFiles();
    readSizes();
    variant.alignment = json["alignment"].integer(1, 4096);
    for (const JsonNode &node : json["arguments"].elements())
      variant.arguments.push_back(readTensor(node));
    for (const JsonNode &node : json["results"].elements())
      variant.results.push_back(readTensor(node));
    checkSources();
    readConditions();
    readResultBuffers();
    if (variant.isHost)
      return;
    if (schema == kOldestSchema)
      readOnlyLaunches(json, variant);
    else
      readLaunchVariants(json["variants"], variant);
  }

private:
  void readTarget() {
    JsonNode target = json["target"];
    variant.chip = target["chip"].text();
    variant.thisChipOnly = target["this_chip_only"].boolean();
    auto [major, minor] = readVersion(target["min_compute_capability"]);
    variant.capability = major * 10 + minor;
    std::tie(variant.ptxMajor, variant.ptxMinor) =
        readVersion(target["ptx_version"]);
  }

  void readHostTarget() {
    variant.chip = json["target"]["cpu"].text();
    variant.entry = json["entry"].text();
  }

  /// "8.0"
  static std::pair<int, int> readVersion(const JsonNode &node) {
    std::string text = node.text();
    size_t dot = text.find('.');
    auto isNumber = [](std::string_view part) {
      return !part.empty() && part.size() <= 3 &&
             part.find_first_not_of("0123456789") == std::string_view::npos;
    };
    if (dot == std::string::npos || !isNumber(text.substr(0, dot)) ||
        !isNumber(text.substr(dot + 1)))
      node.error("is not a version such as \"8.0\"");
    return {std::stoi(text.substr(0, dot)), std::stoi(text.substr(dot + 1))};
  }

  void readFiles() {
    for (const JsonNode &node : json["files"].elements()) {
      PackageFile file;
      file.kind = node["kind"].text();
      file.name = node["name"].text();
      file.size = node["size"].integer(0, int64_t(1) << 30);
      file.sha256 = node["sha256"].text();
      if (file.name.empty() || file.name == "." || file.name == ".." ||
          file.name.find_first_of("/\\") != std::string::npos)
        node["name"].error("is not the name of a file in the package");
      variant.files.push_back(std::move(file));
    }
  }

  void readSizes() {
    for (const JsonNode &node : json["sizes"].elements()) {
      std::string name = node["name"].text();
      if (std::count(variant.sizes.begin(), variant.sizes.end(), name))
        node["name"].error("names a size twice");
      if (name == kSmCount)
        node["name"].error("is the name of the device's multiprocessors");
      variant.sizes.push_back(std::move(name));
      std::vector<SizeSource> sources;
      for (const JsonNode &from : node["from"].elements())
        sources.push_back({size_t(from["argument"].integer(0, INT32_MAX)),
                           size_t(from["dim"].integer(0, INT32_MAX))});
      if (sources.empty())
        node["from"].error("is empty");
      variant.sources.push_back(std::move(sources));
    }
  }

  /// Sizes come before the arguments that they refer to.
  void checkSources() {
    for (const auto &sources : variant.sources)
      for (SizeSource source : sources)
        if (source.argument >= variant.arguments.size() ||
            source.dim >= variant.arguments[source.argument].shape.size())
          json["sizes"].error("refers to a dimension that is not there");
  }

  TensorSpec readTensor(const JsonNode &node) {
    TensorSpec tensor;
    tensor.type = readType(node["type"]);
    tensor.shape = node["shape"].formulas(variant.sizes);
    for (const JsonNode &role : node["roles"].elements())
      tensor.roles.push_back(role.text());
    tensor.hasHeads = tensor.shape.size() == 4 &&
                      std::any_of(tensor.roles.begin(), tensor.roles.end(),
                                  [](const std::string &role) {
                                    return role == "query" || role == "key" ||
                                           role == "value" || role == "output";
                                  });
    if (schema != kOldestSchema)
      checkDataRoles(node["roles"], tensor);
    std::string layout = node["layout"].text();
    tensor.isStrided = layout == "strided";
    if (!tensor.isStrided && layout != "dense")
      node["layout"].error("is neither \"dense\" nor \"strided\"");
    if (tensor.isStrided)
      tensor.strideMultiple = node["stride_multiple"].integer(1, 4096);
    return tensor;
  }

  void readConditions() {
    for (const JsonNode &node : json["conditions"].elements())
      variant.conditions.push_back(
          {node["formula"].formula(variant.sizes), node["text"].text()});
  }

  void readResultBuffers() {
    std::vector<JsonNode> nodes = json["results"].elements();
    for (size_t i = 0; i < nodes.size(); ++i) {
      JsonNode node = nodes[i]["buffer"];
      std::optional<BufferRef> buffer;
      if (!node.has("workspace"))
        buffer = readBuffer(node, variant, /*numWorkspaces=*/0);
      if (!buffer ||
          (buffer->kind == BufferRef::Kind::Result && buffer->index > i))
        node.error("is neither an argument nor this or an earlier result");
      // So that one step leads to the memory.
      if (buffer->kind == BufferRef::Kind::Result && buffer->index < i)
        buffer = variant.results[buffer->index].buffer;
      variant.results[i].buffer = *buffer;
    }
  }

  const JsonNode &json;
  int64_t schema;
  Variant &variant;
};
} // namespace

/// Once vectors no longer grow.
static void setTexts(std::vector<TensorSpec> &tensors) {
  for (TensorSpec &tensor : tensors) {
    for (const Formula &size : tensor.shape) {
      tensor.staticShape.push_back(size.asConstant().value_or(-1));
      tensor.sizeTexts.push_back(size.str().c_str());
    }
    for (const std::string &role : tensor.roles)
      tensor.roleTexts.push_back(role.c_str());
  }
}

std::vector<std::unique_ptr<Variant>>
sparse_attn::runtime::parseManifest(const std::string &text) {
  auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded())
    fail(SPARSE_ATTN_CORRUPT_PACKAGE,
         "manifest.json is not JSON; write the package anew with "
         "sparse-attn-compile");
  JsonNode root(json, "");
  int64_t version = root["schema_version"].integer(0, INT32_MAX);
  if (version < kOldestSchema || version > kSchemaVersion)
    fail(SPARSE_ATTN_UNKNOWN_SCHEMA,
         "manifest.json has schema_version " + std::to_string(version) +
             ", this runtime reads " + std::to_string(kOldestSchema) + " and " +
             std::to_string(kSchemaVersion) +
             "; use the sparse-attn-compile and the runtime of one release");
  std::vector<std::unique_ptr<Variant>> variants;
  auto readAll = [&](const char *key, bool isHost) {
    for (const JsonNode &node : root[key].elements()) {
      auto variant = std::make_unique<Variant>();
      variant->isHost = isHost;
      VariantReader(node, version, *variant).read();
      setTexts(variant->arguments);
      setTexts(variant->results);
      variants.push_back(std::move(variant));
    }
  };
  readAll("programs", /*isHost=*/false);
  // Came later than the first packages of this schema.
  if (root.has("host_programs"))
    readAll("host_programs", /*isHost=*/true);
  return variants;
}
