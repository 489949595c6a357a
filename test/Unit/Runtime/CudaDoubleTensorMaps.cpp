//===- CudaDoubleTensorMaps.cpp - Maps that tell how to copy tiles --------===//
//
// Refuses what the manual of cuTensorMapEncodeTiled does. The bytes of a map
// are nobody's business but the driver's; here they are a mark and the fields.
//
//===----------------------------------------------------------------------===//

#include "CudaDoubleState.h"
#include <algorithm>
#include <cstring>

using namespace cuda_double;

namespace {
/// Fits 128 bytes, as sizes are at most 2^32, stored less 1, and strides
/// multiples of 16 below 2^40.
struct Encoded {
  uint64_t mark;
  uint64_t address;
  uint32_t sizes[5], strides[4], box[5];
  uint8_t type, swizzle, rank;
};
constexpr uint64_t kMark = 0x70616d5f65736e65;
} // namespace
static_assert(sizeof(Encoded) <= sizeof(CUtensorMap));

static int getElementBytes(int type) {
  switch (type) {
  case CU_TENSOR_MAP_DATA_TYPE_FLOAT16:
  case CU_TENSOR_MAP_DATA_TYPE_BFLOAT16:
    return 2;
  case CU_TENSOR_MAP_DATA_TYPE_FLOAT32:
    return 4;
  }
  return 0;
}

/// Which rule is broken, or null.
static const char *findFault(const CUtensorMap *map, const TensorMap &given,
                             const uint32_t *elementStrides) {
  if (reinterpret_cast<uintptr_t>(map) % 64)
    return "is not at a multiple of 64";
  int elementBytes = getElementBytes(given.type);
  if (!elementBytes)
    return "has a type that no test needs";
  if (given.address % 16)
    return "is of an address that is no multiple of 16";
  for (uint32_t i = 0; i < given.rank; ++i) {
    if (given.sizes[i] < 1 || given.sizes[i] > uint64_t(1) << 32)
      return "has a size that is not from 1 to 2^32";
    if (given.box[i] < 1 || given.box[i] > 256)
      return "has a box that is not from 1 to 256";
    if (elementStrides[i] != 1)
      return "has element strides";
  }
  for (uint32_t i = 0; i + 1 < given.rank; ++i)
    if (given.strides[i] % 16 || given.strides[i] >= uint64_t(1) << 40)
      return "has a stride that is no multiple of 16 below 2^40";
  uint32_t rowBytes = given.box[0] * elementBytes;
  if (rowBytes % 16)
    return "has a box with rows that are no multiple of 16 bytes";
  if (given.swizzle < CU_TENSOR_MAP_SWIZZLE_NONE ||
      given.swizzle > CU_TENSOR_MAP_SWIZZLE_128B)
    return "has an unknown swizzle";
  if (given.swizzle != CU_TENSOR_MAP_SWIZZLE_NONE &&
      rowBytes > 16u << given.swizzle)
    return "has a box with rows that are longer than the swizzle";
  return nullptr;
}

static Encoded encode(const TensorMap &map) {
  Encoded encoded = {};
  encoded.mark = kMark;
  encoded.address = map.address;
  encoded.type = static_cast<uint8_t>(map.type);
  encoded.swizzle = static_cast<uint8_t>(map.swizzle);
  encoded.rank = static_cast<uint8_t>(map.rank);
  for (uint32_t i = 0; i < map.rank; ++i) {
    encoded.sizes[i] = static_cast<uint32_t>(map.sizes[i] - 1);
    encoded.box[i] = map.box[i];
  }
  for (uint32_t i = 0; i + 1 < map.rank; ++i)
    encoded.strides[i] = static_cast<uint32_t>(map.strides[i] / 16);
  return encoded;
}

std::optional<TensorMap> cuda_double::decodeMap(const void *bytes) {
  Encoded encoded;
  std::memcpy(&encoded, bytes, sizeof(encoded));
  if (encoded.mark == 0)
    return std::nullopt;
  if (encoded.mark != kMark) {
    violate("a parameter is no tensor map of this driver", 0);
    return std::nullopt;
  }
  TensorMap map;
  map.address = encoded.address;
  map.type = encoded.type;
  map.swizzle = encoded.swizzle;
  map.rank = encoded.rank;
  for (uint32_t i = 0; i < map.rank; ++i) {
    map.sizes[i] = uint64_t(encoded.sizes[i]) + 1;
    map.box[i] = encoded.box[i];
  }
  for (uint32_t i = 0; i + 1 < map.rank; ++i)
    map.strides[i] = uint64_t(encoded.strides[i]) * 16;
  return map;
}

EXPORT CUresult
cuTensorMapEncodeTiled(CUtensorMap *map, int type, uint32_t rank, void *address,
                       const uint64_t *sizes, const uint64_t *strides,
                       const uint32_t *box, const uint32_t *elementStrides,
                       int interleave, int swizzle, int l2Promotion, int fill) {
  ENTER_IN_CONTEXT("cuTensorMapEncodeTiled");
  if (state->version < 12000)
    return violate("a tensor map of a driver that knows none",
                   CUDA_ERROR_INVALID_VALUE);
  if (state->devices[current()->device].capability < 90)
    return violate("a tensor map for a device that knows none",
                   CUDA_ERROR_INVALID_VALUE);
  if (rank < 1 || rank > 5 || interleave || l2Promotion || fill)
    return violate("a tensor map of another kind", CUDA_ERROR_INVALID_VALUE);
  TensorMap given;
  given.type = type;
  given.swizzle = swizzle;
  given.rank = rank;
  given.address = reinterpret_cast<uint64_t>(address);
  std::copy(sizes, sizes + rank, given.sizes.begin());
  std::copy(strides, strides + rank - 1, given.strides.begin());
  std::copy(box, box + rank, given.box.begin());
  if (const char *fault = findFault(map, given, elementStrides))
    return violate(std::string("a tensor map ") + fault,
                   CUDA_ERROR_INVALID_VALUE);
  if (!findAllocation(given.address))
    return violate("a tensor map of nothing", CUDA_ERROR_INVALID_VALUE);
  Encoded encoded = encode(given);
  std::memset(map, 0, sizeof(*map));
  std::memcpy(map, &encoded, sizeof(encoded));
  return CUDA_SUCCESS;
}
