//===- Choice.h - Which function takes given tensors ------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_RUNTIME_CHOICE_H
#define SPARSEATTN_LIB_RUNTIME_CHOICE_H

#include "Package.h"

namespace sparse_attn::runtime {

/// "'f', 'g'", or "none".
std::string listNames(const PackageData &package);

/// The function that takes tensors of these types and shapes. Throws NOT_FOUND,
/// and AMBIGUOUS where several do and none is made for less than all others.
const SparseAttnFunction &chooseFunction(const PackageData &package,
                                         const SparseAttnTensor *arguments,
                                         int32_t numArguments);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_CHOICE_H
