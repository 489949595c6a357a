//===- ManifestLaunch.cpp - What kernels are launched with ----------------===//

#include "Manifest.h"
#include <algorithm>

using namespace sparse_attn::runtime;

// A tensor map has at most so many dimensions.
static constexpr size_t kMaxMapRank = 5;
static constexpr int64_t kMaxBox = 256;
static constexpr int kMapCapability = 90;

namespace {
class LaunchReader {
public:
  explicit LaunchReader(Variant &variant) : variant(variant) {}

  Launch read(const JsonNode &node) {
    Launch launch;
    launch.kernel = node["kernel"].text();
    readDims(node["grid"], launch.grid);
    readDims(node["block"], launch.block);
    launch.sharedBytes = node["shared_bytes"].formula(variant.sizes);
    for (const JsonNode &argument : node["arguments"].elements())
      launch.arguments.push_back(readKernelArgument(argument));
    return launch;
  }

private:
  void readDims(const JsonNode &node, std::array<Formula, 3> &dims) {
    std::vector<Formula> formulas = node.formulas(variant.sizes);
    if (formulas.size() != dims.size())
      node.error("does not have 3 formulas");
    std::move(formulas.begin(), formulas.end(), dims.begin());
  }

  /// Reads which argument or result a node names.
  BufferRef readTensorOf(const JsonNode &node) {
    std::optional<BufferRef> buffer = readBuffer(node, variant);
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
    std::optional<BufferRef> buffer = readBuffer(node, variant);
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
    map.sizes = node["sizes"].formulas(variant.sizes);
    size_t rank = map.sizes.size();
    if (rank < 1 || rank > kMaxMapRank)
      node["sizes"].error("does not have 1 to 5 formulas");
    for (const JsonNode &stride : node["strides"].elements()) {
      if (stride.has("dim"))
        map.strides.emplace_back(readDim(stride["dim"], readTensorOf(node)));
      else
        map.strides.emplace_back(stride.formula(variant.sizes));
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
    if (std::optional<BufferRef> buffer = readBuffer(node, variant))
      return PointerArgument{*buffer};
    bool is64Bits = node.has("i64");
    return IntegerArgument{
        node[is64Bits ? "i64" : "i32"].formula(variant.sizes), is64Bits};
  }

  Variant &variant;
};
} // namespace

Launch sparse_attn::runtime::readLaunch(const JsonNode &node,
                                        Variant &variant) {
  return LaunchReader(variant).read(node);
}
