//===- ManifestData.cpp - Tensors that tell kernels something -------------===//
//
// Data has a type and a rank by its role, so that callers know what to pass,
// and packages of functions that take it need no other schema. docs/Package.md
// lists the roles; those that are not known here are not looked at.
//
//===----------------------------------------------------------------------===//

#include "Manifest.h"

using namespace sparse_attn::runtime;

namespace {
struct DataSpec {
  const char *role;
  SparseAttnType type;
  size_t minRank, maxRank;
};
} // namespace

static constexpr DataSpec kData[] = {
    {"documents", SPARSE_ATTN_I32, 2, 2},
    {"query_lengths", SPARSE_ATTN_I32, 1, 1},
    {"key_lengths", SPARSE_ATTN_I32, 1, 1},
    {"key_begin", SPARSE_ATTN_I32, 1, 1},
    {"global_tokens", SPARSE_ATTN_I32, 2, 2},
    {"query_position", SPARSE_ATTN_I64, 0, 1},
    {"key_position", SPARSE_ATTN_I64, 0, 1},
    {"block_table", SPARSE_ATTN_I32, 4, 4},
    {"page_table", SPARSE_ATTN_I32, 2, 2},
    {"sinks", SPARSE_ATTN_F32, 1, 1},
    {"bias", SPARSE_ATTN_F32, 0, 4},
    {"slopes", SPARSE_ATTN_F32, 1, 1},
};

static void checkData(const JsonNode &node, const DataSpec &spec,
                      const TensorSpec &tensor) {
  size_t rank = tensor.shape.size();
  if (tensor.type == spec.type && rank >= spec.minRank && rank <= spec.maxRank)
    return;
  std::string ranks = std::to_string(spec.minRank);
  if (spec.maxRank != spec.minRank)
    ranks += " to " + std::to_string(spec.maxRank);
  node.error("is '" + std::string(spec.role) + "', which has elements of " +
             getTypeName(spec.type) + " and rank " + ranks + ", and not of " +
             getTypeName(tensor.type) + " and rank " + std::to_string(rank));
}

void sparse_attn::runtime::checkDataRoles(const JsonNode &node,
                                          const TensorSpec &tensor) {
  for (const JsonNode &element : node.elements())
    for (const DataSpec &spec : kData)
      if (element.text() == spec.role)
        checkData(element, spec, tensor);
}
