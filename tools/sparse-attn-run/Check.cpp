//===- Check.cpp - Comparison with the fp64 reference ---------------------===//

#include "Check.h"
#include <algorithm>
#include <cstring>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using namespace mlir::sparse_attn::run_tool;

static oracle::FloatType floatType(Type element) {
  if (element.isF16())
    return oracle::FloatType::F16;
  return element.isBF16() ? oracle::FloatType::BF16 : oracle::FloatType::F32;
}

/// How far apart elements of a shape that is broadcast to four dimensions are.
static std::array<int64_t, 4> broadcastStrides(ArrayRef<int64_t> shape) {
  std::array<int64_t, 4> strides = {};
  int64_t stride = 1;
  for (size_t back = 1; back <= shape.size(); ++back) {
    int64_t size = shape[shape.size() - back];
    strides[4 - back] = size == 1 ? 0 : stride;
    stride *= size;
  }
  return strides;
}

/// The elements of an array of i32, or null where there is none.
static const int32_t *integersOf(ArrayRef<Array> results,
                                 std::optional<unsigned> index) {
  return index ? reinterpret_cast<const int32_t *>(results[*index].bytes.data())
               : nullptr;
}

/// The elements of an array of i64; none where there is no array.
static std::vector<int64_t> positionsOf(ArrayRef<Array> results,
                                        std::optional<unsigned> index) {
  if (!index)
    return {};
  const Array &array = results[*index];
  std::vector<int64_t> positions(array.bytes.size() / sizeof(int64_t));
  std::memcpy(positions.data(), array.bytes.data(), array.bytes.size());
  return positions;
}

/// The keys, or values, [B, heads, Sk, size] of pages [pages, heads, page,
/// size]; numbers of no page count as the nearest.
static std::vector<float> readPages(const Array &pool, const Array &table) {
  int64_t batches = table.shape[0], count = table.shape[1];
  int64_t heads = pool.shape[1], row = pool.shape[2] * pool.shape[3];
  std::vector<float> from = pool.toFloats(), to;
  if (pool.shape[0] == 0)
    return to;
  const auto *ids = reinterpret_cast<const int32_t *>(table.bytes.data());
  for (int64_t b = 0; b < batches; ++b)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t p = 0; p < count; ++p) {
        int64_t id =
            std::clamp<int64_t>(ids[b * count + p], 0, pool.shape[0] - 1);
        auto begin = from.begin() + (id * heads + h) * row;
        to.insert(to.end(), begin, begin + row);
      }
  return to;
}

static Comparison checkOne(const ObservedAttention &op, ArrayRef<Array> results,
                           const CompareOptions &options) {
  const Array &query = results[op.query], &key = results[op.key];
  const Array &value = results[op.valueOperand], &output = results[op.output];
  auto keysOf = [&](const Array &array) {
    return op.pageTable ? readPages(array, results[*op.pageTable])
                        : array.toFloats();
  };
  std::vector<float> q = query.toFloats(), k = keysOf(key), v = keysOf(value),
                     o = output.toFloats(), lse;
  int64_t numKeys = key.shape[2];
  // A pool without pages has no key.
  if (op.pageTable)
    numKeys *= key.shape[0] == 0 ? 0 : results[*op.pageTable].shape[1];
  if (op.lse)
    lse = results[*op.lse].toFloats();
  AttentionInputs inputs;
  inputs.shape = {query.shape[0], query.shape[1], key.shape[1],  query.shape[2],
                  numKeys,        query.shape[3], value.shape[3]};
  inputs.q = q.data();
  inputs.k = k.data();
  inputs.v = v.data();
  inputs.scale = op.scale;
  inputs.softcap = op.softcap;
  auto floatsOf = [&](std::optional<unsigned> index) {
    return index ? results[*index].toFloats() : std::vector<float>();
  };
  std::vector<float> sinks = floatsOf(op.sinks), bias = floatsOf(op.bias),
                     slopes = floatsOf(op.slopes);
  inputs.sinks = op.sinks ? sinks.data() : nullptr;
  inputs.slopes = op.slopes ? slopes.data() : nullptr;
  if (op.bias) {
    inputs.bias = bias.data();
    inputs.biasStrides = broadcastStrides(results[*op.bias].shape);
  }
  inputs.queryLengths = integersOf(results, op.queryLengths);
  inputs.keyLengths = integersOf(results, op.keyLengths);
  inputs.keyBegins = integersOf(results, op.keyBegins);
  inputs.queryPositions = positionsOf(results, op.queryPositions);
  inputs.keyPositions = positionsOf(results, op.keyPositions);
  // A mask of a known length is that of each sequence.
  std::optional<int64_t> keys;
  if (!op.keyLengths && !op.keyPositions)
    keys = numKeys;
  Mask mask = op.mask.getMask(keys);
  std::map<unsigned, ScoreTensor> tensors;
  if (op.score) {
    for (unsigned tensor : op.score->getTensors()) {
      std::vector<float> floats = results[tensor].toFloats();
      tensors[tensor] = {{floats.begin(), floats.end()}, results[tensor].shape};
    }
    inputs.score = [&](const JudgedScore &score, int64_t batch, int64_t head,
                       int64_t i, int64_t j) {
      return op.score->run(score, batch, head, i, j, tensors);
    };
  }
  std::vector<mask::SequenceData> data(inputs.shape.batch);
  if (const int32_t *documents = integersOf(results, op.documents))
    for (auto [batch, one] : llvm::enumerate(data))
      one.documents = {documents + batch * numKeys, size_t(numKeys)};
  if (const int32_t *tokens = integersOf(results, op.globalTokens)) {
    size_t count = results[*op.globalTokens].shape[1];
    for (auto [batch, one] : llvm::enumerate(data))
      one.globalTokens = {tokens + batch * count, count};
  }
  for (auto [batch, one] : llvm::enumerate(data))
    one.firstPosition = lengthsOf(inputs, batch).firstKey;
  return compareRows(
      inputs, floatType(query.element),
      [&](const SequenceLengths &n, int64_t head, int64_t i, int64_t j) {
        return mask.contains({n.queries, n.firstKey + n.keys, &data[n.batch]},
                             head, i, j);
      },
      o.data(), op.lse ? lse.data() : nullptr, options);
}

static Comparison checkOne(const ObservedMerge &op, ArrayRef<Array> results) {
  auto floatsOf = [&](unsigned index) { return results[index].toFloats(); };
  std::vector<float> first = floatsOf(op.first), second = floatsOf(op.second),
                     firstLse = floatsOf(op.firstLse),
                     secondLse = floatsOf(op.secondLse),
                     output = floatsOf(op.output), lse = floatsOf(op.lse);
  const Array &result = results[op.output];
  MergeInputs inputs{result.shape[0], result.shape[1], result.shape[2],
                     result.shape[3], first.data(),    firstLse.data(),
                     second.data(),   secondLse.data()};
  return compareMerge(inputs, floatType(result.element), output.data(),
                      lse.data());
}

Comparison run_tool::checkRun(const ObservedOps &observed,
                              ArrayRef<Array> results,
                              const CompareOptions &options) {
  Comparison all;
  for (const ObservedAttention &op : observed.attentions)
    all.add(checkOne(op, results, options));
  for (const ObservedMerge &op : observed.merges)
    all.add(checkOne(op, results));
  return all;
}
