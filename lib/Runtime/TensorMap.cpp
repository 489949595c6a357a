//===- TensorMap.cpp - How bulk copies find tiles in a tensor -------------===//
//
// The rules are those of the driver's manual for cuTensorMapEncodeTiled, which
// says of all of them only that an argument is invalid.
//
//===----------------------------------------------------------------------===//

#include "TensorMap.h"
#include "Error.h"

using namespace sparse_attn::runtime;

/// Addresses and strides are multiples of so many bytes.
static constexpr uint64_t kAlignment = 16;
static constexpr int64_t kMaxSize = int64_t(1) << 32;
static constexpr uint64_t kMaxStride = uint64_t(1) << 40;

static uint64_t alignUp(uint64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

static int getMapType(SparseAttnType type) {
  switch (type) {
  case SPARSE_ATTN_F16:
    return CU_TENSOR_MAP_DATA_TYPE_FLOAT16;
  case SPARSE_ATTN_BF16:
    return CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
  default:
    return CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
  }
}

static int getMapSwizzle(int64_t bytes) {
  switch (bytes) {
  case 32:
    return CU_TENSOR_MAP_SWIZZLE_32B;
  case 64:
    return CU_TENSOR_MAP_SWIZZLE_64B;
  case 128:
    return CU_TENSOR_MAP_SWIZZLE_128B;
  default:
    return CU_TENSOR_MAP_SWIZZLE_NONE;
  }
}

TensorMap::TensorMap(const TensorMapArgument &argument, const Call &call)
    : argument(&argument), call(&call) {
  for (size_t dim = argument.sizes.size(); dim-- > 0;)
    addSize(argument.sizes[dim].evaluate(call.values));
  if (isEmpty)
    return;
  for (size_t dim = argument.strides.size(); dim-- > 0;) {
    const auto &stride = argument.strides[dim];
    const auto *ownDim = std::get_if<size_t>(&stride);
    addStride(ownDim ? call.getTensor(argument.buffer).getStride(*ownDim)
                     : std::get<Formula>(stride).evaluate(call.values),
              sizes[argument.strides.size() - dim]);
  }
}

void TensorMap::addSize(int64_t size) {
  if (size < 0 || size > kMaxSize)
    fail(SPARSE_ATTN_TOO_LARGE,
         call->describe(argument->buffer) + " has a size of " +
             std::to_string(size) + ", and tensor maps know 1 to " +
             std::to_string(kMaxSize) + "; give a smaller tensor");
  isEmpty |= size == 0;
  sizes.push_back(static_cast<uint64_t>(size));
}

void TensorMap::addStride(int64_t elements, uint64_t size) {
  auto elementBytes = static_cast<uint64_t>(getTypeBytes(argument->type));
  // Never taken, and so nothing that the caller must get right.
  if (size == 1) {
    strides.push_back(alignUp(sizes.front() * elementBytes));
    return;
  }
  auto what = [&] {
    return call->describe(argument->buffer) + " has a stride of " +
           std::to_string(elements) + " elements, and tensor maps ";
  };
  if (elements < 0 ||
      static_cast<uint64_t>(elements) >= kMaxStride / elementBytes)
    fail(SPARSE_ATTN_TOO_LARGE,
         what() + "know less than 2^40 bytes; copy it to a smaller tensor");
  uint64_t bytes = static_cast<uint64_t>(elements) * elementBytes;
  if (bytes % kAlignment != 0)
    fail(SPARSE_ATTN_MISALIGNED,
         what() + "need multiples of " + std::to_string(kAlignment) +
             " bytes; copy it to rows that start at such multiples");
  strides.push_back(bytes);
}

void *TensorMap::encode(const Driver &driver, uint64_t workspace) {
  if (isEmpty)
    return &map;
  uint64_t address = call->getAddress(argument->buffer, workspace);
  if (address % kAlignment != 0)
    fail(SPARSE_ATTN_MISALIGNED,
         call->describe(argument->buffer) + " starts " +
             std::to_string(address % kAlignment) +
             " bytes past a multiple of " + std::to_string(kAlignment) +
             ", and tensor maps need one; give an address that is a multiple");
  std::vector<uint32_t> box(argument->box.rbegin(), argument->box.rend());
  std::vector<uint32_t> elementStrides(box.size(), 1);
  CUresult result = driver.cuTensorMapEncodeTiled(
      &map, getMapType(argument->type), static_cast<uint32_t>(box.size()),
      reinterpret_cast<void *>(address), sizes.data(), strides.data(),
      box.data(), elementStrides.data(), CU_TENSOR_MAP_INTERLEAVE_NONE,
      getMapSwizzle(argument->swizzle), CU_TENSOR_MAP_L2_PROMOTION_NONE,
      CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result != CUDA_SUCCESS)
    driver.raise(result,
                 call->describe(argument->buffer) + " gets no tensor map");
  return &map;
}
