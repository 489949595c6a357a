//===- Overlap.cpp - Whether strided tensors share memory -----------------===//
//
// A byte is of both tensors where indices i and j exist with
//
//   start_a + sum i_k stride_k + x  =  start_b + sum j_k stride_k + y
//
// for bytes x and y of an element. Dimensions of equal stride, of either
// tensor, are one term whose factor has a range; the search takes terms from
// the largest stride down and leaves a branch when what remains cannot reach
// the target, by its bounds or by the greatest common divisor of its strides.
// Where strides nest, as those of views of one buffer do, hardly more than one
// branch is left.
//
//===----------------------------------------------------------------------===//

#include "Overlap.h"
#include <algorithm>
#include <numeric>
#include <utility>

using namespace sparse_attn::runtime;

namespace {
// Products of sizes and strides fit 64 bits, differences of addresses do not.
using Wide = __int128;

Wide floorDiv(Wide a, Wide b) { return a / b - (a % b < 0); }
Wide ceilDiv(Wide a, Wide b) { return -floorDiv(-a, b); }

/// factor * stride, least <= factor <= most.
struct Term {
  int64_t stride;
  Wide least, most;
};

/// Whether a sum of terms lies in a range.
class Search {
public:
  void add(int64_t stride, int64_t size, bool isSubtracted) {
    if (stride == 0 || size <= 1)
      return;
    Wide most = Wide(size) - 1;
    bool isNegative = isSubtracted != (stride < 0);
    terms.push_back({stride < 0 ? -stride : stride, isNegative ? -most : 0,
                     isNegative ? 0 : most});
  }

  bool reaches(Wide low, Wide high) {
    mergeTerms();
    size_t count = terms.size();
    least.assign(count + 1, 0);
    most.assign(count + 1, 0);
    divisor.assign(count + 1, 0);
    for (size_t k = count; k-- > 0;) {
      least[k] = least[k + 1] + terms[k].least * terms[k].stride;
      most[k] = most[k + 1] + terms[k].most * terms[k].stride;
      divisor[k] = std::gcd(divisor[k + 1], terms[k].stride);
    }
    return reaches(0, low, high);
  }

private:
  void mergeTerms() {
    std::sort(terms.begin(), terms.end(),
              [](const Term &a, const Term &b) { return a.stride > b.stride; });
    std::vector<Term> merged;
    for (const Term &term : terms) {
      if (merged.empty() || merged.back().stride != term.stride) {
        merged.push_back(term);
        continue;
      }
      merged.back().least += term.least;
      merged.back().most += term.most;
    }
    terms = std::move(merged);
  }

  /// Whether the terms from number k on reach it.
  bool reaches(size_t k, Wide low, Wide high) {
    if (++steps > kMaxOverlapSteps)
      return true;
    if (low > most[k] || high < least[k])
      return false;
    if (k == terms.size())
      return true;
    if (floorDiv(high, divisor[k]) * divisor[k] < low)
      return false;
    const Term &term = terms[k];
    Wide first = ceilDiv(low - most[k + 1], term.stride);
    Wide last = floorDiv(high - least[k + 1], term.stride);
    last = std::min(last, term.most);
    for (Wide i = std::max(first, term.least); i <= last; ++i)
      if (reaches(k + 1, low - i * term.stride, high - i * term.stride))
        return true;
    return false;
  }

  std::vector<Term> terms;
  /// The least and the largest sum of each term and those behind it.
  std::vector<Wide> least, most;
  std::vector<int64_t> divisor;
  int steps = 0;
};
} // namespace

static bool isEmpty(const StridedBytes &bytes) {
  return bytes.width <= 0 ||
         std::any_of(bytes.dims.begin(), bytes.dims.end(),
                     [](StridedBytes::Dim dim) { return dim.size <= 0; });
}

/// The bytes from the first to the last of a tensor.
static std::pair<Wide, Wide> getHull(const StridedBytes &bytes) {
  Wide first = bytes.start, last = first + bytes.width - 1;
  for (StridedBytes::Dim dim : bytes.dims) {
    Wide extent = (Wide(dim.size) - 1) * dim.stride;
    (extent < 0 ? first : last) += extent;
  }
  return {first, last};
}

bool sparse_attn::runtime::mayOverlap(const StridedBytes &a,
                                      const StridedBytes &b) {
  if (isEmpty(a) || isEmpty(b))
    return false;
  // Hardly any call goes further.
  auto [firstOfA, lastOfA] = getHull(a);
  auto [firstOfB, lastOfB] = getHull(b);
  if (lastOfA < firstOfB || lastOfB < firstOfA)
    return false;
  Search search;
  for (StridedBytes::Dim dim : a.dims)
    search.add(dim.stride, dim.size, /*isSubtracted=*/false);
  for (StridedBytes::Dim dim : b.dims)
    search.add(dim.stride, dim.size, /*isSubtracted=*/true);
  Wide distance = Wide(b.start) - Wide(a.start);
  return search.reaches(distance - (a.width - 1), distance + (b.width - 1));
}
