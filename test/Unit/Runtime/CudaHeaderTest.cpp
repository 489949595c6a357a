//===- CudaHeaderTest.cpp - Our declarations against the toolkit's --------===//
//
// That this compiles is the test: what lib/Runtime/CudaDriver.h says of the
// driver is what a toolkit's cuda.h says. Only where there is a toolkit.
//
//===----------------------------------------------------------------------===//

#include <cstddef>
#include <cstdint>
#include <cuda.h>
#include <type_traits>

// Types of both are told apart by where they stand; those that both only name,
// such as CUctx_st, are the toolkit's.
namespace ours {
#include "../../../lib/Runtime/CudaDriver.h"
} // namespace ours

/// We pass enumerations as the integers that they are.
template <typename T, bool isEnum = std::is_enum_v<T>> struct Plain {
  using Type = T;
};
template <typename T> struct Plain<T, true> {
  static_assert(sizeof(T) == sizeof(int));
  using Type = int;
};
template <typename T> struct Plain<T *, false> {
  using Type = typename Plain<T>::Type *;
};
template <typename T> struct Plain<const T, false> {
  using Type = const typename Plain<T>::Type;
};
template <typename Result, typename... Parameters>
struct Plain<Result(Parameters...), false> {
  using Type =
      typename Plain<Result>::Type(typename Plain<Parameters>::Type...);
};

/// A map's bytes are the driver's.
template <> struct Plain<CUtensorMap, false> {
  static_assert(sizeof(CUtensorMap) == sizeof(ours::CUtensorMap) &&
                alignof(CUtensorMap) <= alignof(ours::CUtensorMap));
  using Type = ours::CUtensorMap;
};

#define X(name, number)                                                        \
  static_assert(int(::name) == number, #name " has another number");
SPARSE_ATTN_CUDA_NUMBERS(X)
#undef X

namespace ours {
// In here types of that name are ours.
#define X(name, parameters)                                                    \
  static_assert(                                                               \
      std::is_same_v<Plain<decltype(::name)>::Type, CUresult parameters>,      \
      #name " takes other parameters");
SPARSE_ATTN_CUDA_FUNCTIONS(X)
SPARSE_ATTN_CUDA_OPTIONAL_FUNCTIONS(X)
#undef X
} // namespace ours
