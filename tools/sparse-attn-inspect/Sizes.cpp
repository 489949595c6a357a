//===- Sizes.cpp - Sizes of an attention op from type and --shape ---------===//

#include "Sizes.h"
#include "SparseAttn/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include <algorithm>
#include <array>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspect_tool;
using namespace mlir::sparse_attn::support;
using llvm::createStringError;

namespace {
struct Dimension {
  Dimension(ArrayRef<SizeName> names, unsigned dim, ArrayRef<Value> operands)
      : names(names) {
    for (Value operand : operands) {
      auto type = cast<ShapedType>(operand.getType());
      if (!size && !type.isDynamicDim(dim))
        size = type.getDimSize(dim);
    }
  }

  StringRef what() const { return names.front().what; }

  /// What it is, and what else it is where a tensor is several operands.
  SmallVector<SizeName, 2> names;
  /// nullopt: dynamic in every operand.
  std::optional<int64_t> size;
};
} // namespace

static llvm::Error bindDynamic(Dimension &dimension, StringRef entry,
                               ShapeBindings &bindings) {
  std::string owner = ("@" + entry).str();
  if (dimension.size) {
    for (const SizeName &name : dimension.names)
      bindings.noteStatic(name, owner, *dimension.size);
    return llvm::Error::success();
  }
  std::string where = llvm::formatv("the {0} of {1}", dimension.what(), owner);
  auto bound = bindings.bind(dimension.names, where, owner);
  if (!bound)
    return bound.takeError();
  dimension.size = *bound;
  if (dimension.size)
    return llvm::Error::success();
  return makeError("{0} is dynamic; give it with {1}", where,
                   ShapeBindings::getFlag(dimension.names.front()));
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

/// Batch, query heads, key heads, queries, keys.
static std::array<Dimension, 5> getDimensions(AttentionOp op) {
  SmallVector<Value> queryLike = {op.getQuery()};
  llvm::append_range(queryLike, op.getInits());
  SmallVector<Value> keyLike = {op.getKey(), op.getValue()};
  SmallVector<Value> all =
      llvm::to_vector(llvm::concat<Value>(queryLike, keyLike));
  // One tensor for queries and keys has as many of these as of those.
  bool shared = llvm::any_of(keyLike, [&](Value value) {
    return llvm::is_contained(queryLike, value);
  });
  auto make = [&](SizeName name, SizeName other, unsigned dim,
                  ArrayRef<Value> operands) {
    return shared ? Dimension({name, other}, dim, all)
                  : Dimension({name}, dim, operands);
  };
  std::array<Dimension, 5> dimensions = {
      Dimension({kBatchSize}, 0, all),
      make(kQueryHeads, kKeyHeads, 1, queryLike),
      make(kKeyHeads, kQueryHeads, 1, keyLike),
      make(kNumQueries, kNumKeys, 2, queryLike),
      make(kNumKeys, kNumQueries, 2, keyLike)};
  // Those of a sequence in pages are not those of the pool.
  if (MaskedReductionOpInterface reduction = op; reduction.getPageSize()) {
    dimensions[0] = Dimension({kBatchSize}, 0, queryLike);
    dimensions[4] = Dimension({kNumKeys}, 2, {});
    dimensions[4].size = reduction.getKnownKeys();
  }
  return dimensions;
}

void inspect_tool::noteNames(AttentionOp op, StringRef entry,
                             ShapeBindings &bindings) {
  for (Dimension &dimension : getDimensions(op)) // What fails fails later.
    llvm::consumeError(bindDynamic(dimension, entry, bindings));
}

llvm::Expected<AttentionShape>
inspect_tool::resolveShape(AttentionOp op, StringRef entry,
                           ShapeBindings &bindings) {
  std::array<Dimension, 5> dimensions = getDimensions(op);
  for (Dimension &dimension : dimensions)
    if (llvm::Error error = bindDynamic(dimension, entry, bindings))
      return error;
  for (const Dimension &dimension : dimensions)
    if (dimension.size == 0)
      return createStringError("the " + dimension.what() +
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
