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

void sparse_attn::runtime::checkResults(const Variant &variant,
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

/// Whether all products of sizes and strides, in bytes, fit 64 bits.
static bool fitsAddresses(const SparseAttnTensor &tensor) {
  int64_t width = getTypeBytes(tensor.type);
  int64_t dense = width, last = width;
  bool fits = true;
  for (int32_t i = tensor.rank; i-- > 0;) {
    int64_t stride = dense, extent = 0;
    if (tensor.strides && tensor.shape[i] > 1)
      fits &= !__builtin_mul_overflow(tensor.strides[i], width, &stride);
    fits &= !__builtin_mul_overflow(tensor.shape[i] - 1, stride, &extent) &&
            !__builtin_add_overflow(last, extent, &last) &&
            !__builtin_mul_overflow(dense, tensor.shape[i], &dense);
  }
  return fits;
}

[[noreturn]] static void failStrides(const Variant &variant, TensorLabel label,
                                     const SparseAttnTensor &tensor,
                                     const std::string &what) {
  fail(SPARSE_ATTN_WRONG_STRIDES,
       label.describe(variant) + " " + what + "; its shape is " +
           printList(tensor.shape, tensor.rank) + ", its strides are " +
           printList(tensor.strides, tensor.rank));
}

static std::string printStride(const SparseAttnTensor &tensor, int32_t dim) {
  return "has stride " + std::to_string(tensor.strides[dim]) +
         " in dimension " + std::to_string(dim) + ", expected ";
}

static void checkDense(const Variant &variant, TensorLabel label,
                       const SparseAttnTensor &tensor) {
  int64_t dense = 1;
  for (int32_t i = tensor.rank; i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != dense)
      failStrides(variant, label, tensor,
                  printStride(tensor, i) + std::to_string(dense) +
                      ": the kernels were compiled with --dense; copy it into "
                      "a contiguous tensor, or compile without");
    dense *= tensor.shape[i];
  }
}

/// No two elements of what is written may be one.
static void checkDistinct(const Variant &variant, TensorLabel label,
                          const SparseAttnTensor &tensor) {
  std::vector<int32_t> dims;
  for (int32_t i = 0; i < tensor.rank; ++i)
    if (tensor.shape[i] > 1)
      dims.push_back(i);
  std::sort(dims.begin(), dims.end(), [&](int32_t a, int32_t b) {
    return tensor.strides[a] < tensor.strides[b];
  });
  int64_t last = 0;
  for (int32_t i : dims) {
    if (tensor.strides[i] <= last)
      failStrides(variant, label, tensor,
                  "is written, and its elements overlap: the stride " +
                      std::to_string(tensor.strides[i]) + " of dimension " +
                      std::to_string(i) + " is not above " +
                      std::to_string(last) + "; give memory of its own");
    last += (tensor.shape[i] - 1) * tensor.strides[i];
  }
}

/// Whether kernels write the tensor.
static bool isWritten(const Variant &variant, TensorLabel label) {
  if (label.isResult)
    return true;
  for (const TensorSpec &result : variant.results)
    if (result.buffer.kind == BufferRef::Kind::Argument &&
        result.buffer.index == label.index)
      return true;
  return false;
}

/// Strides of dimensions of size 1 are never used, and none of an empty tensor.
static void checkStrides(const Variant &variant, TensorLabel label,
                         const SparseAttnTensor &tensor) {
  if (!tensor.strides)
    return;
  const TensorSpec &spec = label.getSpec(variant);
  if (!spec.isStrided)
    return checkDense(variant, label, tensor);
  for (int32_t i = tensor.rank; i-- > 0;) {
    int64_t stride = tensor.strides[i];
    if (tensor.shape[i] == 1)
      continue;
    if (i == tensor.rank - 1 && stride != 1)
      failStrides(variant, label, tensor,
                  printStride(tensor, i) +
                      "1: kernels read the elements of a row side by side; "
                      "copy it into a contiguous tensor");
    if (i < tensor.rank - 1 && (stride < 0 || stride % spec.strideMultiple))
      failStrides(variant, label, tensor,
                  printStride(tensor, i) + "a multiple of " +
                      std::to_string(spec.strideMultiple) +
                      " and none below 0: kernels read rows from aligned "
                      "addresses; copy it into a contiguous tensor");
  }
  if (isWritten(variant, label))
    checkDistinct(variant, label, tensor);
}

int64_t sparse_attn::runtime::getStride(const SparseAttnTensor &tensor,
                                        size_t dim) {
  // What is never used may be anything, also what kernels may not compute with.
  if (tensor.shape[dim] <= 1)
    return 0;
  if (tensor.strides)
    return tensor.strides[dim];
  int64_t stride = 1;
  for (size_t i = dim + 1; i < size_t(tensor.rank); ++i)
    stride *= tensor.shape[i];
  return stride;
}

void sparse_attn::runtime::checkMemory(const Variant &variant,
                                       TensorLabel label,
                                       const SparseAttnTensor &tensor) {
  if (std::count(tensor.shape, tensor.shape + tensor.rank, 0) > 0)
    return;
  if (!fitsAddresses(tensor))
    fail(SPARSE_ATTN_TOO_LARGE,
         label.describe(variant) + " has the shape " +
             printList(tensor.shape, tensor.rank) +
             ", whose bytes do not fit 64 bits; give a smaller tensor");
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

/// A result that is given, although it has no memory of its own, is that
/// tensor.
static void checkSameStrides(const Variant &variant, size_t result,
                             const SparseAttnTensor &tensor,
                             const SparseAttnTensor &place) {
  for (int32_t i = 0; i < tensor.rank; ++i)
    if (getStride(tensor, i) != getStride(place, i))
      fail(SPARSE_ATTN_WRONG_STRIDES,
           explainPlace(variant, result) + "; its stride in dimension " +
               std::to_string(i) + " is " +
               std::to_string(getStride(tensor, i)) + ", there it is " +
               std::to_string(getStride(place, i)));
}

void sparse_attn::runtime::checkAllMemory(const Variant &variant,
                                          const SparseAttnTensor *arguments,
                                          const SparseAttnTensor *results) {
  for (size_t i = 0; i < variant.arguments.size(); ++i)
    checkMemory(variant, {false, i}, arguments[i]);
  for (size_t i = 0; i < variant.results.size(); ++i) {
    SparseAttnTensor tensor = results[i];
    if (!variant.hasOwnMemory(i)) {
      BufferRef buffer = variant.results[i].buffer;
      bool isResult = buffer.kind == BufferRef::Kind::Result;
      const SparseAttnTensor &place =
          (isResult ? results : arguments)[buffer.index];
      if (!tensor.data) {
        tensor.data = place.data;
        tensor.strides = place.strides;
      }
      if (tensor.data != place.data)
        fail(SPARSE_ATTN_INVALID_ARGUMENT, explainPlace(variant, i));
      checkSameStrides(variant, i, tensor, place);
    }
    checkMemory(variant, {true, i}, tensor);
  }
}

uint64_t
sparse_attn::runtime::getWorkspaceBytes(const Variant &variant,
                                        const std::vector<int64_t> &sizes) {
  return std::max<int64_t>(variant.workspaceBytes.evaluate(sizes), 0);
}
