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

/// A tensor of a call. Dimensions are numbered as the function has them; what
/// is said to the caller has the caller's order, which `givenDim` gives.
class CallTensor {
public:
  CallTensor(const TensorSpec &spec, const SparseAttnTensor &given)
      : given(&given), isSwapped((given.type & SPARSE_ATTN_BSHD) &&
                                 spec.hasHeads && given.rank == 4) {}

  uint64_t getData() const { return given->data; }
  size_t getRank() const { return given->rank; }
  int64_t getSize(size_t dim) const { return given->shape[givenDim(dim)]; }
  /// In elements; 0 where there is no second element: what is never used may be
  /// anything, also what kernels may not compute with.
  int64_t getStride(size_t dim) const;
  bool hasStrides() const { return given->strides; }
  bool isEmpty() const;

  size_t givenDim(size_t dim) const {
    return isSwapped && (dim == 1 || dim == 2) ? 3 - dim : dim;
  }
  /// "[1, 2, 256, 64]"
  std::string printShape() const;
  std::string printStrides() const;

private:
  const SparseAttnTensor *given;
  bool isSwapped;
};

/// Checks the number, types and shapes of the arguments and gives the values of
/// the variant's sizes. Throws INVALID_ARGUMENT, WRONG_TYPE, WRONG_SHAPE.
std::vector<int64_t> bindSizes(const Variant &variant,
                               const SparseAttnTensor *arguments,
                               int32_t numArguments);

/// The same for results, once the sizes are known from the arguments.
void checkResults(const Variant &variant, const std::vector<int64_t> &sizes,
                  const SparseAttnTensor *arguments,
                  const SparseAttnTensor *results, int32_t numResults);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_BINDING_H
