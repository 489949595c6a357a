//===- ManifestLaunch.cpp - What kernels are launched with ----------------===//

#include "Manifest.h"
#include <algorithm>

using namespace sparse_attn::runtime;

// A tensor map has at most so many dimensions.
static constexpr size_t kMaxMapRank = 5;
static constexpr int64_t kMaxBox = 256;
static constexpr int kMapCapability = 90;

namespace {
/// Reads what is launched for some of the sizes.
class LaunchReader {
public:
  /// `names` are those that formulas may use: the sizes, and maybe kSmCount.
  LaunchReader(Variant &variant, std::vector<std::string> names)
      : variant(variant), names(std::move(names)) {}

  LaunchVariant readVariant(const JsonNode &node, Formula when) {
    LaunchVariant launches;
    launches.when = std::move(when);
    JsonNode workspace = node["workspace"];
    launches.workspaceBytes = formula(workspace["bytes"]);
    for (const JsonNode &buffer : workspace["buffers"].elements())
      launches.workspaceOffsets.push_back(formula(buffer["offset"]));
    numWorkspaces = launches.workspaceOffsets.size();
    launches.firstLaunch = variant.getNumLaunches();
    for (const JsonNode &launch : node["launches"].elements())
      launches.launches.push_back(read(launch));
    return launches;
  }

  Formula formula(const JsonNode &node) {
    Formula formula = node.formula(names);
    // Behind the sizes there is only this.
    variant.dependsOnDevice |= formula.uses(variant.sizes.size());
    return formula;
  }

private:
  std::vector<Formula> formulas(const JsonNode &node) {
    std::vector<Formula> all;
    for (const JsonNode &element : node.elements())
      all.push_back(formula(element));
    return all;
  }

  Launch read(const JsonNode &node) {
    Launch launch;
    launch.kernel = node["kernel"].text();
    readDims(node["grid"], launch.grid);
    readDims(node["block"], launch.block);
    launch.sharedBytes = formula(node["shared_bytes"]);
    for (const JsonNode &argument : node["arguments"].elements())
      launch.arguments.push_back(readKernelArgument(argument));
    return launch;
  }

  void readDims(const JsonNode &node, std::array<Formula, 3> &dims) {
    std::vector<Formula> all = formulas(node);
    if (all.size() != dims.size())
      node.error("does not have 3 formulas");
    std::move(all.begin(), all.end(), dims.begin());
  }

  /// Reads which argument or result a node names.
  BufferRef readTensorOf(const JsonNode &node) {
    std::optional<BufferRef> buffer = readBuffer(node, variant, numWorkspaces);
    if (!buffer || buffer->kind == BufferRef::Kind::Workspace)
      node.error("is of neither an argument nor a result");
    return *buffer;
  }

  size_t readDim(const JsonNode &node, BufferRef buffer) {
    bool isResult = buffer.kind == BufferRef::Kind::Result;
    const TensorSpec &tensor =
        (isResult ? variant.results : variant.arguments)[buffer.index];
    size_t dim = node.integer(0, INT32_MAX);
    if (dim >= tensor.shape.size())
      node.error("is a dimension that is not there");
    return dim;
  }

  /// {"stride": {"argument": 0, "dim": 2}}
  StrideArgument readStride(const JsonNode &node) {
    BufferRef buffer = readTensorOf(node);
    return {buffer, readDim(node["dim"], buffer)};
  }

  /// {"tensor_map": {"argument": 1, "type": "bf16", "sizes": [8, "Sk", 64],
  ///   "strides": [{"dim": 0}, 64], "box": [1, 64, 64], "swizzle": 128}}
  TensorMapArgument readTensorMap(const JsonNode &node) {
    if (variant.capability < kMapCapability)
      node.error("is for compute capability 9.0 or later, and the target is "
                 "older");
    variant.hasTensorMaps = true;
    TensorMapArgument map;
    std::optional<BufferRef> buffer = readBuffer(node, variant, numWorkspaces);
    if (!buffer)
      node.error("is of no buffer");
    map.buffer = *buffer;
    map.type = readType(node["type"]);
    if (map.type != SPARSE_ATTN_F16 && map.type != SPARSE_ATTN_BF16 &&
        map.type != SPARSE_ATTN_F32)
      node["type"].error("is of none of the types that maps have");
    readExtents(node, map);
    map.swizzle = node["swizzle"].integer(0, 128);
    if (map.swizzle != 0 && map.swizzle != 32 && map.swizzle != 64 &&
        map.swizzle != 128)
      node["swizzle"].error("is none of 0, 32, 64 and 128");
    return map;
  }

  void readExtents(const JsonNode &node, TensorMapArgument &map) {
    map.sizes = formulas(node["sizes"]);
    size_t rank = map.sizes.size();
    if (rank < 1 || rank > kMaxMapRank)
      node["sizes"].error("does not have 1 to 5 formulas");
    for (const JsonNode &stride : node["strides"].elements()) {
      if (stride.has("dim"))
        map.strides.emplace_back(readDim(stride["dim"], readTensorOf(node)));
      else
        map.strides.emplace_back(formula(stride));
    }
    if (map.strides.size() + 1 != rank)
      node["strides"].error("does not have one less than sizes");
    for (const JsonNode &size : node["box"].elements())
      map.box.push_back(size.integer(1, kMaxBox));
    if (map.box.size() != rank)
      node["box"].error("does not have as many as sizes");
  }

  KernelArgument readKernelArgument(const JsonNode &node) {
    if (node.has("stride"))
      return readStride(node["stride"]);
    if (node.has("tensor_map"))
      return readTensorMap(node["tensor_map"]);
    if (std::optional<BufferRef> buffer =
            readBuffer(node, variant, numWorkspaces))
      return PointerArgument{*buffer};
    bool is64Bits = node.has("i64");
    return IntegerArgument{node[is64Bits ? "i64" : "i32"].formula(names),
                           is64Bits};
  }

  Variant &variant;
  std::vector<std::string> names;
  size_t numWorkspaces = 0;
};
} // namespace

void sparse_attn::runtime::readOnlyLaunches(const JsonNode &node,
                                            Variant &variant) {
  variant.launchVariants.push_back(
      LaunchReader(variant, variant.sizes)
          .readVariant(node, Formula::constant(1)));
}

void sparse_attn::runtime::readLaunchVariants(const JsonNode &node,
                                              Variant &variant) {
  std::vector<std::string> names = variant.sizes;
  names.emplace_back(kSmCount);
  LaunchReader reader(variant, std::move(names));
  bool isDecided = false;
  for (const JsonNode &element : node.elements()) {
    if (isDecided)
      element.error("is never launched: the variant before it takes all sizes");
    Formula when = reader.formula(element["when"]);
    std::optional<int64_t> constant = when.asConstant();
    if (constant == 0)
      element["when"].error("is 0, so that the variant is never launched");
    isDecided = constant.has_value();
    variant.launchVariants.push_back(
        reader.readVariant(element, std::move(when)));
  }
  if (variant.launchVariants.empty())
    node.error("is empty");
}
