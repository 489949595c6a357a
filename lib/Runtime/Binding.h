//===- Binding.h - Tensors against what a function takes --------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_RUNTIME_BINDING_H
#define SPARSEATTN_LIB_RUNTIME_BINDING_H

#include "Package.h"
#include <string>
#include <vector>

namespace sparse_attn::runtime {

/// Which tensor; its words are only needed where something is wrong with it.
struct TensorLabel {
  bool isResult;
  size_t index;

  const TensorSpec &getSpec(const Variant &variant) const {
    return (isResult ? variant.results : variant.arguments)[index];
  }
  /// "argument 0 (query) of 'f'"
  std::string describe(const Variant &variant) const;
};

/// Checks the number, types and shapes of the arguments and gives the values of
/// the variant's sizes. Throws INVALID_ARGUMENT, WRONG_TYPE, WRONG_SHAPE.
std::vector<int64_t> bindSizes(const Variant &variant,
                               const SparseAttnTensor *arguments,
                               int32_t numArguments);

/// The same for results, once the sizes are known.
void checkResults(const Variant &variant, const std::vector<int64_t> &sizes,
                  const SparseAttnTensor *results, int32_t numResults);

/// Address, alignment and strides of a tensor whose type and shape are right.
/// Throws WRONG_STRIDES, MISALIGNED, TOO_LARGE, INVALID_ARGUMENT.
void checkMemory(const Variant &variant, TensorLabel label,
                 const SparseAttnTensor &tensor);

/// The same for all tensors of a call. A result that is written to an argument
/// or to another result may have the address 0; another address than that one's
/// is INVALID_ARGUMENT.
void checkAllMemory(const Variant &variant, const SparseAttnTensor *arguments,
                    const SparseAttnTensor *results);

/// The stride of a dimension in elements, of a tensor that checkMemory accepts;
/// 0 where it has no second element.
int64_t getStride(const SparseAttnTensor &tensor, size_t dim);

/// Bytes of workspace, never negative.
uint64_t getWorkspaceBytes(const Variant &variant,
                           const std::vector<int64_t> &sizes);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_BINDING_H
