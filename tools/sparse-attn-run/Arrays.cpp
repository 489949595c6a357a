//===- Arrays.cpp - Arguments and results of a function -------------------===//

#include "Arrays.h"
#include "SparseAttn/Oracle/Float16.h"
#include "SparseAttn/Oracle/Noise.h"
#include "SparseAttn/Oracle/Npy.h"
#include "SparseAttn/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>
#include <numeric>
#include <unistd.h>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using namespace mlir::sparse_attn::run_tool;
using namespace mlir::sparse_attn::support;

static int64_t product(ArrayRef<int64_t> shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1),
                         std::multiplies<>());
}

static std::string shapeText(ArrayRef<int64_t> shape) {
  return "[" +
         llvm::join(llvm::map_range(shape,
                                    [](int64_t size) {
                                      return ShapedType::isDynamic(size)
                                                 ? std::string("?")
                                                 : std::to_string(size);
                                    }),
                    ", ") +
         "]";
}

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

int64_t Array::numElements() const { return product(shape); }

template <typename T> static MutableArrayRef<T> view(std::vector<char> &bytes) {
  return {reinterpret_cast<T *>(bytes.data()), bytes.size() / sizeof(T)};
}

template <typename T> static ArrayRef<T> view(const std::vector<char> &bytes) {
  return {reinterpret_cast<const T *>(bytes.data()), bytes.size() / sizeof(T)};
}

std::vector<float> Array::toFloats() const {
  std::vector<float> floats(numElements());
  if (element.isF16())
    halfToFloat(view<uint16_t>(bytes), floats);
  else if (element.isBF16())
    bfloatToFloat(view<uint16_t>(bytes), floats);
  else if (element.isF32())
    llvm::copy(view<float>(bytes), floats.begin());
  else if (element.isInteger(32))
    llvm::copy(view<int32_t>(bytes), floats.begin());
  else
    llvm::copy(view<int64_t>(bytes), floats.begin());
  return floats;
}

NpyArray Array::toNpy() const {
  NpyArray npy{shape, NpyArray::Dtype::F32, bytes};
  if (element.isF16())
    npy.dtype = NpyArray::Dtype::F16;
  if (element.isInteger(32))
    npy.dtype = NpyArray::Dtype::I32;
  if (element.isInteger(64))
    npy.dtype = NpyArray::Dtype::I64;
  if (element.isBF16()) {
    std::vector<float> floats = toFloats();
    auto *data = reinterpret_cast<const char *>(floats.data());
    npy.data.assign(data, data + floats.size() * sizeof(float));
  }
  return npy;
}

static Array fromFloats(Type element, ArrayRef<int64_t> shape,
                        ArrayRef<float> floats) {
  Array array{element, SmallVector<int64_t>(shape), {}};
  array.bytes.resize(floats.size() * element.getIntOrFloatBitWidth() / 8);
  if (element.isF16())
    floatToHalf(floats, view<uint16_t>(array.bytes));
  else if (element.isBF16())
    floatToBfloat(floats, view<uint16_t>(array.bytes));
  else if (element.isF32())
    llvm::copy(floats, view<float>(array.bytes).begin());
  else if (element.isInteger(32))
    llvm::transform(floats, view<int32_t>(array.bytes).begin(),
                    [](float x) { return static_cast<int32_t>(x); });
  else
    llvm::transform(floats, view<int64_t>(array.bytes).begin(),
                    [](float x) { return static_cast<int64_t>(x); });
  return array;
}

Array run_tool::makeNoise(Type element, ArrayRef<int64_t> shape, uint64_t seed,
                          uint64_t stream) {
  std::vector<float> floats(product(shape));
  fillNormal(floats, seed, stream);
  return fromFloats(element, shape, floats);
}

//===----------------------------------------------------------------------===//
// Shapes and files
//===----------------------------------------------------------------------===//

/// Whether this machine could hold an array of that many elements, at most.
static bool fitsInMemory(ArrayRef<int64_t> shape, int64_t width) {
  int64_t bytes = width;
  for (int64_t size : shape)
    if (llvm::MulOverflow(bytes, size, bytes))
      return false;
  return bytes <= sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

llvm::Error run_tool::checkMemory(RankedTensorType type,
                                  ArrayRef<int64_t> shape, unsigned index) {
  int64_t width = type.getElementTypeBitWidth() / 8;
  if (fitsInMemory(shape, width))
    return llvm::Error::success();
  return makeError("argument {0} of shape {1} and {2} bytes an element does "
                   "not fit in memory; give smaller sizes",
                   index, shapeText(shape), width);
}

/// The type's shape with '?' where `shape` differs, if such a type may be: the
/// sizes of heads are always static.
static std::optional<SmallVector<int64_t>> relax(RankedTensorType type,
                                                 ArrayRef<int64_t> shape) {
  constexpr unsigned kHeadDim = 3;
  SmallVector<int64_t> relaxed(type.getShape());
  if (relaxed.size() != shape.size())
    return std::nullopt;
  for (auto [dim, size] : llvm::enumerate(relaxed)) {
    if (ShapedType::isDynamic(size) || size == shape[dim])
      continue;
    if (dim == kHeadDim)
      return std::nullopt;
    size = ShapedType::kDynamic;
  }
  return relaxed;
}

llvm::Expected<Array>
run_tool::readArgument(StringRef path, RankedTensorType type, unsigned index) {
  llvm::Expected<NpyArray> npy = readNpy(path);
  if (!npy)
    return npy.takeError();
  bool fits = static_cast<int64_t>(npy->shape.size()) == type.getRank();
  for (auto [have, want] : llvm::zip(npy->shape, type.getShape()))
    fits &= ShapedType::isDynamic(want) || have == want;
  if (!fits) {
    auto relaxed = relax(type, npy->shape);
    return makeError(
        "{0} has shape {1}, but argument {2} is {3}; save an array of that "
        "shape{4}",
        path, shapeText(npy->shape), index, shapeText(type.getShape()),
        relaxed ? ", or make its type " + shapeText(*relaxed) +
                      ": '?' is a dynamic size"
                : "");
  }
  Type element = type.getElementType();
  if (!element.isInteger())
    return fromFloats(element, npy->shape, npy->toFloats());
  unsigned width = element.getIntOrFloatBitWidth();
  NpyArray::Dtype wanted =
      width == 32 ? NpyArray::Dtype::I32 : NpyArray::Dtype::I64;
  if (npy->dtype != wanted)
    return makeError("{0} holds numbers of another type, but argument {1} is "
                     "of i{2}; save array.astype('int{2}')",
                     path, index, width);
  return Array{element, npy->shape, std::move(npy->data)};
}

//===----------------------------------------------------------------------===//
// Descriptors
//===----------------------------------------------------------------------===//

Descriptor Descriptor::of(const Array &array, void *bytes) {
  Descriptor descriptor(array.shape.size());
  auto pointer = reinterpret_cast<int64_t>(bytes);
  descriptor.fields[0] = descriptor.fields[1] = pointer;
  int64_t stride = 1;
  for (unsigned dim = descriptor.rank; dim-- > 0;) {
    descriptor.fields[3 + dim] = array.shape[dim];
    descriptor.fields[3 + descriptor.rank + dim] = stride;
    stride *= array.shape[dim];
  }
  return descriptor;
}

Array Descriptor::load(Type element) const {
  // The pipeline gives function boundaries the identity layout, so results are
  // dense.
  ArrayRef<int64_t> sizes = ArrayRef(fields).slice(3, rank);
  Array array{element, SmallVector<int64_t>(sizes), {}};
  int64_t width = element.getIntOrFloatBitWidth() / 8;
  array.bytes.resize(product(sizes) * width);
  auto *source = reinterpret_cast<const char *>(fields[1]) + fields[2] * width;
  // Both pointers may be null where there is no element.
  if (!array.bytes.empty())
    std::memcpy(array.bytes.data(), source, array.bytes.size());
  return array;
}
