//===- Choice.cpp - Which function takes given tensors --------------------===//

#include "Choice.h"
#include "Binding.h"
#include "Error.h"
#include <algorithm>
#include <map>

using namespace sparse_attn::runtime;

using Functions = std::vector<const SparseAttnFunction *>;

static std::string list(const Functions &functions) {
  std::string names;
  for (const SparseAttnFunction *function : functions)
    names += (names.empty() ? "" : ", ") + quote(function->name);
  return names.empty() ? "none" : names;
}

std::string sparse_attn::runtime::listNames(const PackageData &package) {
  Functions functions;
  for (const auto &function : package.functions)
    functions.push_back(function.get());
  return list(functions);
}

/// Whether `wide` takes all shapes that `narrow` does: what is fixed there is
/// the same here, and what has to be equal there is equal here. Both take the
/// arguments in question, so their types and ranks agree.
static bool takesAllOf(const Variant &wide, const Variant &narrow) {
  std::map<std::string, const Formula *> meanings;
  for (size_t i = 0; i < wide.arguments.size(); ++i) {
    const std::vector<Formula> &there = wide.arguments[i].shape;
    for (size_t dim = 0; dim < there.size(); ++dim) {
      const Formula &here = narrow.arguments[i].shape[dim];
      auto [it, isNew] = meanings.try_emplace(there[dim].str(), &here);
      if (there[dim].asConstant() ? !(there[dim] == here)
                                  : !(*it->second == here))
        return false;
    }
  }
  return true;
}

static bool isNarrower(const Variant &a, const Variant &b) {
  return takesAllOf(b, a) && !takesAllOf(a, b);
}

const SparseAttnFunction &
sparse_attn::runtime::chooseFunction(const PackageData &package,
                                     const SparseAttnTensor *arguments,
                                     int32_t numArguments) {
  Functions fitting;
  std::string reasons;
  for (const auto &candidate : package.functions) {
    try {
      bindSizes(candidate->interface(), arguments, numArguments);
      fitting.push_back(candidate.get());
    } catch (const Error &error) {
      reasons += "; " + error.message;
    }
  }
  if (fitting.empty())
    fail(SPARSE_ATTN_NOT_FOUND,
         "no function of the package takes these arguments: it has " +
             listNames(package) + reasons);
  for (const SparseAttnFunction *best : fitting)
    if (std::all_of(fitting.begin(), fitting.end(), [&](const auto *other) {
          return other == best ||
                 isNarrower(best->interface(), other->interface());
        }))
      return *best;
  fail(SPARSE_ATTN_AMBIGUOUS,
       "several functions of the package take these arguments, and none of "
       "them takes fewer than the others: " +
           list(fitting) + "; choose one by its name");
}
