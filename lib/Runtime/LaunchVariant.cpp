//===- LaunchVariant.cpp - Which launches given sizes take ----------------===//

#include "LaunchVariant.h"
#include "Error.h"
#include <algorithm>

using namespace sparse_attn::runtime;

/// "B = 1, Sq = 5, sm_count = 108"
static std::string printValues(const Variant &variant,
                               const std::vector<int64_t> &values) {
  std::string text;
  for (size_t i = 0; i < values.size(); ++i) {
    text += i ? ", " : "";
    text += i < variant.sizes.size() ? variant.sizes[i] : kSmCount;
    text += " = " + std::to_string(values[i]);
  }
  return text;
}

const LaunchVariant &
sparse_attn::runtime::chooseLaunches(const Variant &variant,
                                     const std::vector<int64_t> &values) {
  for (const LaunchVariant &launches : variant.launchVariants)
    if (launches.when.evaluate(values) != 0)
      return launches;
  fail(SPARSE_ATTN_WRONG_SHAPE,
       "no variant of " + quote(variant.name) + " for " + variant.chip +
           " takes the sizes " + printValues(variant, values) +
           "; give others, or write the package anew with "
           "sparse-attn-compile");
}

std::vector<int64_t>
sparse_attn::runtime::withoutDevice(const Variant &variant,
                                    std::vector<int64_t> sizes) {
  if (variant.dependsOnDevice)
    fail(SPARSE_ATTN_INVALID_ARGUMENT,
         "what " + quote(variant.name) + " launches for " + variant.chip +
             " depends on the number of the device's multiprocessors; load it "
             "and ask the program");
  sizes.push_back(0);
  return sizes;
}

SparseAttnLaunchInfo
sparse_attn::runtime::describeLaunch(const Variant &variant, size_t index,
                                     const std::vector<int64_t> &values) {
  const LaunchVariant &chosen = chooseLaunches(variant, values);
  auto owner = std::find_if(
      variant.launchVariants.rbegin(), variant.launchVariants.rend(),
      [&](const LaunchVariant &v) { return v.firstLaunch <= index; });
  const Launch &launch = owner->launches[index - owner->firstLaunch];
  SparseAttnLaunchInfo info = {};
  info.kernel = launch.kernel.c_str();
  if (&*owner != &chosen)
    return info;
  for (int i = 0; i < 3; ++i) {
    info.grid[i] = launch.grid[i].evaluate(values);
    info.block[i] = launch.block[i].evaluate(values);
  }
  info.sharedBytes = launch.sharedBytes.evaluate(values);
  return info;
}

uint64_t
sparse_attn::runtime::getWorkspaceBytes(const LaunchVariant &launches,
                                        const std::vector<int64_t> &values) {
  return std::max<int64_t>(launches.workspaceBytes.evaluate(values), 0);
}
