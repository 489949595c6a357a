//===- LaunchVariant.h - Which launches given sizes take --------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_RUNTIME_LAUNCHVARIANT_H
#define SPARSEATTN_LIB_RUNTIME_LAUNCHVARIANT_H

#include "Package.h"

namespace sparse_attn::runtime {

/// The first launch variant that takes these values, which are the sizes and
/// then the number of the device's multiprocessors. Throws WRONG_SHAPE where
/// none does, which a compiler does not write; for the host, which makes no
/// launches, there is none to ask for.
const LaunchVariant &chooseLaunches(const Variant &variant,
                                    const std::vector<int64_t> &values);

/// The values of formulas where no device is known: 0 multiprocessors. Throws
/// INVALID_ARGUMENT where a launch depends on the device.
std::vector<int64_t> withoutDevice(const Variant &variant,
                                   std::vector<int64_t> sizes);

/// Launch number `index` of all launch variants together, for these values. The
/// grid of one that they do not take is 0 blocks.
SparseAttnLaunchInfo describeLaunch(const Variant &variant, size_t index,
                                    const std::vector<int64_t> &values);

/// Bytes of workspace, never negative.
uint64_t getWorkspaceBytes(const LaunchVariant &launches,
                           const std::vector<int64_t> &values);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_LAUNCHVARIANT_H
