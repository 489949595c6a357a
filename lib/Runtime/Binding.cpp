//===- Binding.cpp - Tensors against what a function takes ----------------===//

#include "Binding.h"
#include "Error.h"
#include <algorithm>
#include <sstream>

using namespace sparse_attn::runtime;

std::string TensorLabel::describe(const Variant &variant) const {
  std::string text = isResult ? "result " : "argument ";
  text += std::to_string(index);
  const TensorSpec &spec = getSpec(variant);
  for (size_t i = 0; i < spec.roles.size(); ++i)
    text += (i == 0 ? " (" : ", ") + spec.roles[i];
  if (!spec.roles.empty())
    text += ")";
  return text + " of " + quote(variant.name);
}

static std::string printList(const int64_t *values, size_t count) {
  std::ostringstream os;
  os << '[';
  for (size_t i = 0; i < count; ++i)
    os << (i ? ", " : "") << values[i];
  os << ']';
  return os.str();
}

int64_t CallTensor::getStride(size_t dim) const {
  if (getSize(dim) <= 1)
    return 0;
  size_t place = givenDim(dim);
  if (given->strides)
    return given->strides[place];
  int64_t stride = 1;
  for (size_t i = place + 1; i < getRank(); ++i)
    stride *= given->shape[i];
  return stride;
}

bool CallTensor::isEmpty() const {
  return std::count(given->shape, given->shape + given->rank, 0) > 0;
}

std::string CallTensor::printShape() const {
  return printList(given->shape, getRank());
}

std::string CallTensor::printStrides() const {
  return printList(given->strides, getRank());
}

/// What is expected, in the order of a tensor that has perhaps another rank.
static std::string printShape(const TensorSpec &spec,
                              const SparseAttnTensor &tensor) {
  std::vector<std::string> sizes;
  for (const Formula &size : spec.shape)
    sizes.push_back(size.str());
  if (spec.hasHeads && (tensor.type & SPARSE_ATTN_BSHD))
    std::swap(sizes[1], sizes[2]);
  std::string text = "[";
  for (size_t i = 0; i < sizes.size(); ++i)
    text += (i ? ", " : "") + sizes[i];
  return text + "]";
}

static bool isAttentionType(SparseAttnType type) {
  return type == SPARSE_ATTN_F16 || type == SPARSE_ATTN_BF16 ||
         type == SPARSE_ATTN_F32;
}

/// What to do about another type than the expected one. A function can be
/// compiled for some types only, and has its LSE in f32 for all of them. A
/// result that was converted would be written in vain.
static std::string adviseType(const Variant &variant, TensorLabel label,
                              SparseAttnType given) {
  const TensorSpec &spec = label.getSpec(variant);
  std::string name = getTypeName(spec.type);
  std::string advice =
      label.isResult ? "give a tensor of " + name : "convert it to " + name;
  if (!spec.hasHeads)
    return advice;
  if (isAttentionType(given))
    return advice + ", or compile the function for " + getTypeName(given);
  return "attention is compiled for f16, bf16 and f32 only: " + advice;
}

/// All but the values of the shape.
static void checkTypeAndRank(const Variant &variant, TensorLabel label,
                             const SparseAttnTensor &tensor) {
  const TensorSpec &spec = label.getSpec(variant);
  SparseAttnType type = tensor.type & ~SPARSE_ATTN_BSHD;
  if (type != spec.type)
    fail(SPARSE_ATTN_WRONG_TYPE, label.describe(variant) + " has elements of " +
                                     getTypeName(type) + ", expected " +
                                     getTypeName(spec.type) + "; " +
                                     adviseType(variant, label, type));
  if (tensor.rank < 0 || size_t(tensor.rank) != spec.shape.size())
    fail(SPARSE_ATTN_WRONG_SHAPE,
         label.describe(variant) + " has rank " + std::to_string(tensor.rank) +
             ", expected the shape " + printShape(spec, tensor));
  if (tensor.rank > 0 && !tensor.shape)
    fail(SPARSE_ATTN_INVALID_ARGUMENT,
         label.describe(variant) + " has no shape: null was given");
  for (int32_t i = 0; i < tensor.rank; ++i)
    if (tensor.shape[i] < 0)
      fail(SPARSE_ATTN_WRONG_SHAPE, label.describe(variant) +
                                        " has the negative size " +
                                        std::to_string(tensor.shape[i]) +
                                        " in dimension " + std::to_string(i));
}

/// Where an expected size comes from, unless it is a constant.
static std::string explainSize(const Variant &variant, const Formula &size,
                               const SparseAttnTensor *arguments) {
  if (size.asConstant())
    return "";
  for (size_t i = 0; i < variant.sizes.size(); ++i) {
    if (variant.sizes[i] != size.str())
      continue;
    SizeSource source = variant.sources[i].front();
    CallTensor tensor(variant.arguments[source.argument],
                      arguments[source.argument]);
    return ", which is " + size.str() + ", from dimension " +
           std::to_string(tensor.givenDim(source.dim)) + " of " +
           TensorLabel{false, source.argument}.describe(variant);
  }
  return ", which is " + size.str();
}

/// Dimensions are looked at in the caller's order.
static void checkShape(const Variant &variant, TensorLabel label,
                       const std::vector<int64_t> &sizes,
                       const SparseAttnTensor *arguments,
                       const SparseAttnTensor &given) {
  const TensorSpec &spec = label.getSpec(variant);
  CallTensor tensor(spec, given);
  for (size_t i = 0; i < tensor.getRank(); ++i) {
    // Swapping back is swapping again.
    const Formula &size = spec.shape[tensor.givenDim(i)];
    int64_t expected = size.evaluate(sizes);
    if (given.shape[i] == expected)
      continue;
    fail(SPARSE_ATTN_WRONG_SHAPE, label.describe(variant) + " has size " +
                                      std::to_string(given.shape[i]) +
                                      " in dimension " + std::to_string(i) +
                                      ", expected " + std::to_string(expected) +
                                      explainSize(variant, size, arguments));
  }
}

static void checkCount(const Variant &variant, const char *what,
                       const SparseAttnTensor *tensors, int32_t given,
                       size_t expected) {
  if (given < 0 || size_t(given) != expected)
    fail(SPARSE_ATTN_INVALID_ARGUMENT,
         quote(variant.name) + " has " + std::to_string(expected) + " " + what +
             ", " + std::to_string(given) + " were given");
  if (expected > 0 && !tensors)
    fail(SPARSE_ATTN_INVALID_ARGUMENT,
         std::string("the list of ") + what + " is null");
}

/// The sizes of which a formula speaks: "; Hq is 4, Hkv is 3".
static std::string listSizes(const Variant &variant, const Formula &formula,
                             const std::vector<int64_t> &sizes) {
  std::string text;
  for (size_t i = 0; i < sizes.size(); ++i)
    if (formula.uses(i))
      text += (text.empty() ? "; " : ", ") + variant.sizes[i] + " is " +
              std::to_string(sizes[i]);
  return text;
}

std::vector<int64_t>
sparse_attn::runtime::bindSizes(const Variant &variant,
                                const SparseAttnTensor *arguments,
                                int32_t numArguments) {
  size_t count = variant.arguments.size();
  checkCount(variant, "arguments", arguments, numArguments, count);
  for (size_t i = 0; i < count; ++i)
    checkTypeAndRank(variant, {false, i}, arguments[i]);
  std::vector<int64_t> sizes;
  sizes.reserve(variant.sources.size());
  for (const auto &sources : variant.sources) {
    SizeSource source = sources.front();
    sizes.push_back(CallTensor(variant.arguments[source.argument],
                               arguments[source.argument])
                        .getSize(source.dim));
  }
  for (size_t i = 0; i < count; ++i)
    checkShape(variant, {false, i}, sizes, arguments, arguments[i]);
  for (const Condition &condition : variant.conditions)
    if (!condition.formula.holds(sizes))
      fail(SPARSE_ATTN_WRONG_SHAPE,
           "the sizes of the arguments of " + quote(variant.name) +
               " do not fit together: " + condition.text +
               listSizes(variant, condition.formula, sizes));
  return sizes;
}

void sparse_attn::runtime::checkResults(const Variant &variant,
                                        const std::vector<int64_t> &sizes,
                                        const SparseAttnTensor *arguments,
                                        const SparseAttnTensor *results,
                                        int32_t numResults) {
  size_t count = variant.results.size();
  checkCount(variant, "results", results, numResults, count);
  for (size_t i = 0; i < count; ++i) {
    checkTypeAndRank(variant, {true, i}, results[i]);
    checkShape(variant, {true, i}, sizes, arguments, results[i]);
  }
}
