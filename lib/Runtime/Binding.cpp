//===- Binding.cpp - Tensors against what a function takes ----------------===//

#include "Binding.h"
#include "Error.h"
#include <algorithm>
#include <sstream>

using namespace sparse_attn;

std::string TensorLabel::describe(const Variant &variant) const {
  std::string text = isResult ? "result " : "argument ";
  text += std::to_string(index);
  const TensorSpec &spec = getSpec(variant);
  for (size_t i = 0; i < spec.roles.size(); ++i)
    text += (i == 0 ? " (" : ", ") + spec.roles[i];
  if (!spec.roles.empty())
    text += ")";
  return text + " of '" + variant.name + "'";
}

static std::string printList(const int64_t *values, size_t count) {
  std::ostringstream os;
  os << '[';
  for (size_t i = 0; i < count; ++i)
    os << (i ? ", " : "") << values[i];
  os << ']';
  return os.str();
}

static std::string printShape(const TensorSpec &spec) {
  std::string text = "[";
  for (size_t i = 0; i < spec.shape.size(); ++i)
    text += (i ? ", " : "") + spec.shape[i].str();
  return text + "]";
}

/// All but the values of the shape.
static void checkTypeAndRank(const Variant &variant, TensorLabel label,
                             const SparseAttnTensor &tensor) {
  const TensorSpec &spec = label.getSpec(variant);
  if (tensor.type != spec.type)
    fail(SPARSE_ATTN_WRONG_TYPE,
         label.describe(variant) + " has elements of " +
             getTypeName(tensor.type) + ", expected " + getTypeName(spec.type) +
             "; convert it, or compile the function for that type");
  if (tensor.rank < 0 || size_t(tensor.rank) != spec.shape.size())
    fail(SPARSE_ATTN_WRONG_SHAPE,
         label.describe(variant) + " has rank " + std::to_string(tensor.rank) +
             ", expected the shape " + printShape(spec));
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
static std::string explainSize(const Variant &variant, const Formula &size) {
  if (size.asConstant())
    return "";
  for (size_t i = 0; i < variant.sizes.size(); ++i) {
    if (variant.sizes[i] != size.str())
      continue;
    SizeSource source = variant.sources[i].front();
    return ", which is " + size.str() + ", from dimension " +
           std::to_string(source.dim) + " of " +
           TensorLabel{false, source.argument}.describe(variant);
  }
  return ", which is " + size.str();
}

static void checkShape(const Variant &variant, TensorLabel label,
                       const std::vector<int64_t> &sizes,
                       const SparseAttnTensor &tensor) {
  const TensorSpec &spec = label.getSpec(variant);
  for (int32_t i = 0; i < tensor.rank; ++i) {
    int64_t expected = spec.shape[i].evaluate(sizes);
    if (tensor.shape[i] == expected)
      continue;
    fail(SPARSE_ATTN_WRONG_SHAPE, label.describe(variant) + " has size " +
                                      std::to_string(tensor.shape[i]) +
                                      " in dimension " + std::to_string(i) +
                                      ", expected " + std::to_string(expected) +
                                      explainSize(variant, spec.shape[i]));
  }
}

static void checkCount(const Variant &variant, const char *what,
                       const SparseAttnTensor *tensors, int32_t given,
                       size_t expected) {
  if (given < 0 || size_t(given) != expected)
    fail(SPARSE_ATTN_INVALID_ARGUMENT,
         "'" + variant.name + "' has " + std::to_string(expected) + " " + what +
             ", " + std::to_string(given) + " were given");
  if (expected > 0 && !tensors)
    fail(SPARSE_ATTN_INVALID_ARGUMENT,
         std::string("the list of ") + what + " is null");
}

std::vector<int64_t> sparse_attn::bindSizes(const Variant &variant,
                                            const SparseAttnTensor *arguments,
                                            int32_t numArguments) {
  size_t count = variant.arguments.size();
  checkCount(variant, "arguments", arguments, numArguments, count);
  for (size_t i = 0; i < count; ++i)
    checkTypeAndRank(variant, {false, i}, arguments[i]);
  std::vector<int64_t> sizes;
  sizes.reserve(variant.sources.size());
  for (const auto &sources : variant.sources)
    sizes.push_back(
        arguments[sources.front().argument].shape[sources.front().dim]);
  for (size_t i = 0; i < count; ++i)
    checkShape(variant, {false, i}, sizes, arguments[i]);
  for (const Condition &condition : variant.conditions)
    if (condition.formula.evaluate(sizes) == 0)
      fail(SPARSE_ATTN_WRONG_SHAPE,
           "the sizes of the arguments of '" + variant.name +
               "' do not fit together: " + condition.text);
  return sizes;
}

void sparse_attn::checkResults(const Variant &variant,
                               const std::vector<int64_t> &sizes,
                               const SparseAttnTensor *results,
                               int32_t numResults) {
  size_t count = variant.results.size();
  checkCount(variant, "results", results, numResults, count);
  for (size_t i = 0; i < count; ++i) {
    checkTypeAndRank(variant, {true, i}, results[i]);
    checkShape(variant, {true, i}, sizes, results[i]);
  }
}

/// With them, the products of sizes that dense strides are fit 64 bits.
static int64_t getNumBytes(const Variant &variant, TensorLabel label,
                           const SparseAttnTensor &tensor) {
  int64_t bytes = getTypeBytes(tensor.type);
  bool fits = true;
  for (int32_t i = tensor.rank; i-- > 0;) {
    if (tensor.shape[i] == 0)
      return 0;
    fits &= !__builtin_mul_overflow(bytes, tensor.shape[i], &bytes);
  }
  if (!fits)
    fail(SPARSE_ATTN_TOO_LARGE,
         label.describe(variant) + " has the shape " +
             printList(tensor.shape, tensor.rank) +
             ", whose bytes do not fit 64 bits; give a smaller tensor");
  return bytes;
}

/// Strides of dimensions of size 1 are never used, and none of an empty tensor.
static void checkStrides(const Variant &variant, TensorLabel label,
                         const SparseAttnTensor &tensor) {
  if (!tensor.strides)
    return;
  int64_t dense = 1;
  for (int32_t i = tensor.rank; i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != dense)
      fail(SPARSE_ATTN_WRONG_STRIDES,
           label.describe(variant) + " has stride " +
               std::to_string(tensor.strides[i]) + " in dimension " +
               std::to_string(i) + ", expected " + std::to_string(dense) +
               ": kernels take dense, row-major tensors; its shape is " +
               printList(tensor.shape, tensor.rank) + ", its strides are " +
               printList(tensor.strides, tensor.rank) +
               "; copy it into a contiguous tensor");
    dense *= tensor.shape[i];
  }
}

void sparse_attn::checkMemory(const Variant &variant, TensorLabel label,
                              const SparseAttnTensor &tensor) {
  if (getNumBytes(variant, label, tensor) == 0)
    return;
  checkStrides(variant, label, tensor);
  if (!tensor.data)
    fail(SPARSE_ATTN_INVALID_ARGUMENT,
         label.describe(variant) + " has address 0; give memory of the device");
  if (tensor.data % variant.alignment != 0)
    fail(SPARSE_ATTN_MISALIGNED,
         label.describe(variant) + " starts " +
             std::to_string(tensor.data % variant.alignment) +
             " bytes past a multiple of " + std::to_string(variant.alignment) +
             "; kernels read that much at once: copy it to an address that is "
             "a multiple");
}

static std::string explainPlace(const Variant &variant, size_t result) {
  BufferRef buffer = variant.results[result].buffer;
  bool isResult = buffer.kind == BufferRef::Kind::Result;
  return TensorLabel{true, result}.describe(variant) + " is written to " +
         TensorLabel{isResult, buffer.index}.describe(variant) +
         " and cannot be elsewhere; give that address, or 0";
}

void sparse_attn::checkAllMemory(const Variant &variant,
                                 const SparseAttnTensor *arguments,
                                 const SparseAttnTensor *results) {
  for (size_t i = 0; i < variant.arguments.size(); ++i)
    checkMemory(variant, {false, i}, arguments[i]);
  for (size_t i = 0; i < variant.results.size(); ++i) {
    BufferRef place = variant.results[i].buffer;
    uint64_t expected = place.kind == BufferRef::Kind::Argument
                            ? arguments[place.index].data
                            : results[place.index].data;
    SparseAttnTensor tensor = results[i];
    if (!variant.hasOwnMemory(i) && !tensor.data)
      tensor.data = expected;
    if (tensor.data != expected)
      fail(SPARSE_ATTN_INVALID_ARGUMENT, explainPlace(variant, i));
    checkMemory(variant, {true, i}, tensor);
  }
}

uint64_t sparse_attn::getWorkspaceBytes(const Variant &variant,
                                        const std::vector<int64_t> &sizes) {
  return std::max<int64_t>(variant.workspaceBytes.evaluate(sizes), 0);
}
