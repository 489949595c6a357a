//===- Sizes.cpp - Sizes of an attention op from type and --shape ---------===//

#include "Sizes.h"
#include "llvm/ADT/StringExtras.h"
#include <algorithm>

using namespace mlir;
using namespace mlir::sparse_attn;
using llvm::createStringError;

namespace {
struct Dimension {
  Dimension(StringRef what, ArrayRef<StringRef> keys, unsigned dim,
            ArrayRef<Value> operands)
      : what(what), keys(keys) {
    for (Value operand : operands) {
      auto type = cast<ShapedType>(operand.getType());
      if (!size && !type.isDynamicDim(dim))
        size = type.getDimSize(dim);
    }
  }

  StringRef what;
  /// The keys that bind it, the strongest first.
  SmallVector<StringRef, 2> keys;
  /// nullopt: dynamic in every operand.
  std::optional<int64_t> size;
};
} // namespace

/// A binding is for dynamic sizes; one that none uses must not contradict.
static llvm::Error checkContradictions(ArrayRef<Dimension> dimensions,
                                       StringRef entry,
                                       const ShapeBindings &bindings) {
  for (StringRef key : ShapeBindings::keys) {
    std::optional<int64_t> value = bindings.get(key);
    auto uses = [&](const Dimension &dimension) {
      return !dimension.size && llvm::is_contained(dimension.keys, key);
    };
    if (!value || llvm::any_of(dimensions, uses))
      continue;
    for (const Dimension &dimension : dimensions)
      if (llvm::is_contained(dimension.keys, key) && dimension.size != value)
        return createStringError("--shape=" + key + "=" + Twine(*value) +
                                 " contradicts @" + entry + ", where the " +
                                 dimension.what + " is always " +
                                 Twine(*dimension.size));
  }
  return llvm::Error::success();
}

static llvm::Error bindDynamic(Dimension &dimension, StringRef entry,
                               ShapeBindings &bindings) {
  if (!dimension.size)
    dimension.size = bindings.bind(dimension.keys);
  if (dimension.size)
    return llvm::Error::success();
  return createStringError(
      "the " + dimension.what + " of the attention in @" + entry +
      " is dynamic; give it with --shape=" + dimension.keys.back() + "=SIZE");
}

/// No number that is reported exceeds these two.
static bool fitsCounters(const AttentionShape &s, int64_t bytesPerElement) {
  double width = double(s.batch) * double(s.headDim + s.valueDim);
  double queries = double(s.queryHeads) * double(s.queries);
  double keys = double(s.keyHeads) * double(s.keys);
  double flops = 2 * width * queries * double(s.keys);
  double bytes = bytesPerElement * width * (queries + keys);
  constexpr double limit = 9e18;
  return std::max(flops, bytes) < limit;
}

llvm::Expected<AttentionShape>
mlir::sparse_attn::resolveShape(AttentionOp op, StringRef entry,
                                ShapeBindings &bindings) {
  Value q = op.getQuery(), k = op.getKey(), v = op.getValue();
  Value o = op.getInits().front();
  Dimension dimensions[] = {{"batch size", {"B"}, 0, {q, k, v, o}},
                            {"number of query heads", {"H"}, 1, {q, o}},
                            {"number of key heads", {"H"}, 1, {k, v}},
                            {"number of queries", {"Sq", "S"}, 2, {q, o}},
                            {"number of keys", {"Sk", "S"}, 2, {k, v}}};
  if (llvm::Error error = checkContradictions(dimensions, entry, bindings))
    return error;
  for (Dimension &dimension : dimensions)
    if (llvm::Error error = bindDynamic(dimension, entry, bindings))
      return error;
  for (const Dimension &dimension : dimensions)
    if (dimension.size == 0)
      return createStringError("the " + dimension.what +
                               " of the attention in @" + entry +
                               " is 0, which leaves nothing to inspect; give "
                               "sizes of at least 1");

  auto &[batch, queryHeads, keyHeads, queries, keys] = dimensions;
  AttentionShape shape;
  shape.batch = *batch.size;
  shape.queryHeads = *queryHeads.size;
  shape.keyHeads = *keyHeads.size;
  shape.queries = *queries.size;
  shape.keys = *keys.size;
  shape.headDim = op.getQueryType().getDimSize(3);
  shape.valueDim = op.getValueType().getDimSize(3);
  if (shape.queryHeads % shape.keyHeads != 0)
    return createStringError("the attention in @" + entry + " has " +
                             Twine(shape.queryHeads) +
                             " query heads, which is no multiple of its " +
                             Twine(shape.keyHeads) + " key heads");
  if (!fitsCounters(shape, op.getQueryType().getElementTypeBitWidth() / 8))
    return createStringError("the attention in @" + entry +
                             " is too large for its costs to be counted");
  return shape;
}
