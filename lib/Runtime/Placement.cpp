//===- Placement.cpp - Where the tensors of a call are --------------------===//

#include "Placement.h"
#include "Error.h"
#include "Overlap.h"
#include <algorithm>

using namespace sparse_attn::runtime;

namespace {
/// What is to be checked of one tensor.
struct Placed {
  const Variant &variant;
  TensorLabel label;
  const TensorSpec &spec;
  CallTensor tensor;

  Placed(const Variant &variant, TensorLabel label,
         const SparseAttnTensor &given)
      : variant(variant), label(label), spec(label.getSpec(variant)),
        tensor(spec, given) {}

  std::string describe() const { return label.describe(variant); }
  [[noreturn]] void failStrides(const std::string &what) const {
    fail(SPARSE_ATTN_WRONG_STRIDES,
         describe() + " " + what + "; its shape is " + tensor.printShape() +
             ", its strides are " + tensor.printStrides());
  }
  std::string printDim(size_t dim) const {
    return std::to_string(tensor.givenDim(dim));
  }
  std::string printStride(size_t dim) const {
    return "has stride " + std::to_string(tensor.getStride(dim)) +
           " in dimension " + printDim(dim) + ", expected ";
  }
  /// What to do about strides: a copy of a result would be written in vain.
  std::string adviseContiguous() const {
    return label.isResult ? "give a contiguous tensor"
                          : "copy it into a contiguous tensor";
  }
};
} // namespace

/// Whether all products of sizes and strides, in bytes, fit 64 bits.
static bool fitsAddresses(const Placed &placed) {
  const CallTensor &tensor = placed.tensor;
  int64_t width = getTypeBytes(placed.spec.type);
  int64_t bytes = width, last = width;
  bool fits = true;
  for (size_t i = 0; i < tensor.getRank(); ++i)
    fits &= !__builtin_mul_overflow(bytes, tensor.getSize(i), &bytes);
  // Only now dense strides fit.
  for (size_t i = 0; fits && i < tensor.getRank(); ++i) {
    int64_t extent = 0;
    fits &= !__builtin_mul_overflow(tensor.getStride(i), width, &extent) &&
            !__builtin_mul_overflow(tensor.getSize(i) - 1, extent, &extent) &&
            !__builtin_add_overflow(last, extent, &last);
  }
  return fits;
}

static void checkDense(const Placed &placed) {
  int64_t dense = 1;
  for (size_t i = placed.tensor.getRank(); i-- > 0;) {
    int64_t size = placed.tensor.getSize(i);
    if (size != 1 && placed.tensor.getStride(i) != dense)
      placed.failStrides(placed.printStride(i) + std::to_string(dense) +
                         ": the kernels were compiled with --dense; " +
                         placed.adviseContiguous() + ", or compile without");
    dense *= size;
  }
}

/// No two elements of what is written may be one.
static void checkDistinct(const Placed &placed) {
  const CallTensor &tensor = placed.tensor;
  std::vector<size_t> dims;
  for (size_t i = 0; i < tensor.getRank(); ++i)
    if (tensor.getSize(i) > 1)
      dims.push_back(i);
  std::sort(dims.begin(), dims.end(), [&](size_t a, size_t b) {
    return tensor.getStride(a) < tensor.getStride(b);
  });
  int64_t last = 0;
  for (size_t i : dims) {
    int64_t stride = tensor.getStride(i);
    if (stride <= last)
      placed.failStrides("is written, and its elements overlap: the stride " +
                         std::to_string(stride) + " of dimension " +
                         placed.printDim(i) + " is not above " +
                         std::to_string(last) + "; give memory of its own");
    last += (tensor.getSize(i) - 1) * stride;
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

static void checkStrides(const Placed &placed) {
  if (!placed.spec.isStrided)
    return checkDense(placed);
  const CallTensor &tensor = placed.tensor;
  for (size_t i = tensor.getRank(); i-- > 0;) {
    int64_t stride = tensor.getStride(i);
    if (tensor.getSize(i) == 1)
      continue;
    bool isLast = i == tensor.getRank() - 1;
    if (stride < 0)
      placed.failStrides("runs backwards: its stride in dimension " +
                         placed.printDim(i) + " is " + std::to_string(stride) +
                         ", and kernels take none below 0; " +
                         placed.adviseContiguous());
    if (isLast && stride != 1)
      placed.failStrides(
          placed.printStride(i) +
          "1: kernels read the elements of a row side by side; " +
          placed.adviseContiguous());
    if (!isLast && stride % placed.spec.strideMultiple)
      placed.failStrides(placed.printStride(i) + "a multiple of " +
                         std::to_string(placed.spec.strideMultiple) +
                         ": rows must start at aligned addresses; " +
                         placed.adviseContiguous());
  }
  if (isWritten(placed.variant, placed.label))
    checkDistinct(placed);
}

/// In bytes. Host code reads elements, and so do kernels the tensors whose rows
/// may lie at any of them.
static uint64_t getAlignment(const Variant &variant, const TensorSpec &spec) {
  uint64_t width = getTypeBytes(spec.type);
  if (variant.isHost)
    return width;
  if (spec.isStrided)
    return std::min(variant.alignment, width * spec.strideMultiple);
  return variant.alignment;
}

/// Strides of dimensions of size 1 are never used, and none of an empty tensor.
static void checkTensor(const Placed &placed) {
  if (placed.tensor.isEmpty())
    return;
  if (!fitsAddresses(placed))
    fail(SPARSE_ATTN_TOO_LARGE, placed.describe() + " has the shape " +
                                    placed.tensor.printShape() +
                                    ", whose bytes do not fit 64 bits; give a "
                                    "smaller tensor");
  if (placed.tensor.hasStrides())
    checkStrides(placed);
  uint64_t address = placed.tensor.getData();
  if (!address)
    fail(SPARSE_ATTN_INVALID_ARGUMENT,
         placed.describe() + " has address 0; give memory of the device");
  uint64_t alignment = getAlignment(placed.variant, placed.spec);
  if (address % alignment != 0)
    fail(SPARSE_ATTN_MISALIGNED,
         placed.describe() + " starts " + std::to_string(address % alignment) +
             " bytes past a multiple of " + std::to_string(alignment) +
             ", and its elements are read that many bytes at once: copy it to "
             "an address that is a multiple");
}

static std::string explainPlace(const Variant &variant, size_t result) {
  BufferRef buffer = variant.results[result].buffer;
  bool isResult = buffer.kind == BufferRef::Kind::Result;
  return TensorLabel{true, result}.describe(variant) + " is written to " +
         TensorLabel{isResult, buffer.index}.describe(variant) +
         " and cannot be elsewhere; give that address, or 0";
}

/// A result that is given, although it has no memory of its own, is the tensor
/// whose memory it has.
static void checkSame(const Placed &result, const Placed &place) {
  const Variant &variant = result.variant;
  size_t index = result.label.index;
  if (result.tensor.getData() != place.tensor.getData())
    fail(SPARSE_ATTN_INVALID_ARGUMENT, explainPlace(variant, index));
  for (size_t i = 0; i < result.tensor.getRank(); ++i)
    if (result.tensor.getStride(i) != place.tensor.getStride(i))
      fail(SPARSE_ATTN_WRONG_STRIDES,
           explainPlace(variant, index) + "; its stride in dimension " +
               result.printDim(i) + " is " +
               std::to_string(result.tensor.getStride(i)) + ", there it is " +
               std::to_string(place.tensor.getStride(i)));
}

static StridedBytes getBytes(const Placed &placed) {
  StridedBytes bytes;
  bytes.start = placed.tensor.getData();
  bytes.width = getTypeBytes(placed.spec.type);
  // Strides of an empty tensor were not checked.
  if (placed.tensor.isEmpty()) {
    bytes.width = 0;
    return bytes;
  }
  for (size_t i = 0; i < placed.tensor.getRank(); ++i)
    bytes.dims.push_back(
        {placed.tensor.getSize(i), placed.tensor.getStride(i) * bytes.width});
  return bytes;
}

/// What is written first is said of, as it is what the caller can move.
static void checkApart(const Variant &variant,
                       const std::vector<Placed> &placed, Workspace workspace) {
  std::vector<StridedBytes> bytes;
  bytes.reserve(placed.size());
  for (const Placed &tensor : placed)
    bytes.push_back(getBytes(tensor));
  auto failOverlap = [&](size_t written, const std::string &other) {
    fail(SPARSE_ATTN_INVALID_ARGUMENT, placed[written].describe() +
                                           " is written, and it overlaps " +
                                           other + "; give memory of its own");
  };
  for (size_t i = placed.size(); i-- > 0;) {
    if (!isWritten(variant, placed[i].label))
      continue;
    for (size_t j = 0; j < placed.size(); ++j)
      if (i != j && mayOverlap(bytes[i], bytes[j]))
        failOverlap(i, placed[j].describe());
  }
  StridedBytes scratch;
  scratch.start = workspace.address;
  scratch.dims = {{static_cast<int64_t>(workspace.bytes), 1}};
  for (size_t i = 0; i < placed.size(); ++i)
    if (mayOverlap(bytes[i], scratch))
      fail(SPARSE_ATTN_INVALID_ARGUMENT,
           "the workspace of " + quote(variant.name) + " overlaps " +
               placed[i].describe() + "; give memory of its own");
}

void sparse_attn::runtime::checkPlacement(const Variant &variant,
                                          const SparseAttnTensor *arguments,
                                          const SparseAttnTensor *results,
                                          Workspace workspace) {
  // Each with memory of its own.
  std::vector<Placed> placed;
  placed.reserve(variant.arguments.size() + variant.results.size());
  for (size_t i = 0; i < variant.arguments.size(); ++i)
    placed.emplace_back(variant, TensorLabel{false, i}, arguments[i]);
  for (const Placed &argument : placed)
    checkTensor(argument);
  for (size_t i = 0; i < variant.results.size(); ++i) {
    Placed result(variant, {true, i}, results[i]);
    if (variant.hasOwnMemory(i)) {
      checkTensor(result);
      placed.push_back(result);
      continue;
    }
    BufferRef buffer = variant.results[i].buffer;
    bool isResult = buffer.kind == BufferRef::Kind::Result;
    if (!result.tensor.getData())
      continue;
    checkSame(result, Placed(variant, {isResult, buffer.index},
                             (isResult ? results : arguments)[buffer.index]));
    checkTensor(result);
  }
  checkApart(variant, placed, workspace);
}
