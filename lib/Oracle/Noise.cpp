//===- Noise.cpp - Seeded standard normal noise ---------------------------===//

#include "SparseAttn/Oracle/Noise.h"
#include <cmath>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;

static constexpr uint64_t goldenGamma = 0x9E3779B97F4A7C15;

/// Output number `counter` of the generator splitmix64 seeded with `key`.
static uint64_t draw(uint64_t key, uint64_t counter) {
  uint64_t z = key + (counter + 1) * goldenGamma;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

/// The middle of one of 2^53 equal parts of (0, 1): never 0, whose logarithm
/// Box and Muller could not take.
static double toUnit(uint64_t bits) {
  return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
}

// Box and Muller: for u, v uniform in (0, 1),
//   sqrt(-2 ln u) cos(2 pi v)  and  sqrt(-2 ln u) sin(2 pi v)
// are independent standard normals. In double, so that libraries whose
// functions differ in the last bit agree once rounded to float.
void oracle::fillNormal(llvm::MutableArrayRef<float> out, uint64_t seed,
                        uint64_t stream) {
  uint64_t key = draw(draw(seed, 0), stream);
  constexpr double tau = 6.283185307179586;
  for (size_t i = 0, e = out.size(); i < e; i += 2) {
    double radius = std::sqrt(-2.0 * std::log(toUnit(draw(key, i))));
    double angle = tau * toUnit(draw(key, i + 1));
    out[i] = static_cast<float>(radius * std::cos(angle));
    if (i + 1 < e)
      out[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
}

uint64_t oracle::drawBelow(uint64_t seed, uint64_t counter, uint64_t bound) {
  // The upper half of a 64 x 64 product maps 2^64 draws evenly on [0, bound)
  // but for a bias of bound / 2^64.
  unsigned __int128 product =
      static_cast<unsigned __int128>(draw(draw(seed, 1), counter)) * bound;
  return static_cast<uint64_t>(product >> 64);
}
