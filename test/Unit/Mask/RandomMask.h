//===- RandomMask.h - Random masks for the fuzz tests -----------*- C++ -*-===//
//
// Seeded compositions over the whole algebra. Parameters are small, so that
// lengths of a few dozen show every edge. Only the generator's own output is
// used, no distribution of the standard library, so that a seed gives the same
// masks everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TEST_UNIT_MASK_RANDOMMASK_H
#define SPARSEATTN_TEST_UNIT_MASK_RANDOMMASK_H

#include "SparseAttn/Mask/Mask.h"
#include "llvm/Support/raw_ostream.h"
#include <random>
#include <string>
#include <vector>

namespace mlir::sparse_attn::test {

using namespace mask;

/// A uniform integer of [low, high].
inline int64_t pick(std::mt19937_64 &rng, int64_t low, int64_t high) {
  return low + int64_t(rng() % uint64_t(high - low + 1));
}

inline bool flip(std::mt19937_64 &rng) { return rng() >> 63; }

/// A mask that this library knows nothing about.
class ForeignNode : public MaskNode {
public:
  ForeignNode(uint64_t salt, int64_t numHeads)
      : salt(salt), numHeads(numHeads) {}
  bool contains(const Lengths &n, int64_t head, int64_t i,
                int64_t j) const override {
    uint64_t h = splitmix64(salt ^ uint64_t(head % numHeads));
    return splitmix64(splitmix64(h ^ uint64_t(i)) ^ uint64_t(j)) % 3 == 0;
  }
  void print(llvm::raw_ostream &os) const override {
    os << "foreign(" << salt << ')';
  }

private:
  uint64_t salt;
  int64_t numHeads;
};

inline Mask randomWindow(std::mt19937_64 &rng) {
  std::optional<int64_t> left = pick(rng, -3, 12), right = pick(rng, -3, 12);
  if (pick(rng, 0, 4) == 0)
    left = std::nullopt;
  if (pick(rng, 0, 4) == 0)
    right = std::nullopt;
  switch (pick(rng, 0, 3)) {
  case 0:
    return Mask::slidingWindow(left, right, /*dilation=*/pick(rng, 2, 5));
  case 1:
    if (left)
      left = *left / 4;
    if (right)
      right = *right / 4;
    return Mask::slidingWindow(left, right, /*dilation=*/1,
                               /*block=*/pick(rng, 2, 8));
  default:
    return Mask::slidingWindow(left, right);
  }
}

inline Mask randomGlobal(std::mt19937_64 &rng) {
  std::vector<int64_t> tokens;
  for (int64_t count = pick(rng, 0, 4); count > 0; --count)
    tokens.push_back(pick(rng, -20, 40));
  // Neighbours, which the pieces merge.
  if (!tokens.empty() && flip(rng))
    tokens.push_back(tokens.back() + 1);
  int64_t first = flip(rng) ? pick(rng, 0, 8) : 0;
  int64_t last = flip(rng) ? pick(rng, 0, 8) : 0;
  auto direction = static_cast<Mask::Direction>(pick(rng, 0, 2));
  return Mask::global(tokens, first, last, direction);
}

inline Mask randomDraw(std::mt19937_64 &rng) {
  Mask::RandomOptions options;
  options.block = pick(rng, 1, 8);
  options.blocksPerRow = pick(rng, 0, 4);
  options.seed = rng();
  options.perHead = flip(rng);
  if (flip(rng))
    options.bigBirdWindowRadius = pick(rng, 0, 2);
  return Mask::random(options);
}

/// Often the same, for residues to meet.
inline int64_t randomPeriod(std::mt19937_64 &rng) {
  return flip(rng) ? 4 : pick(rng, 1, 9);
}

inline Mask randomPrimitive(std::mt19937_64 &rng, bool allowOpaque) {
  switch (pick(rng, 0, allowOpaque ? 15 : 12)) {
  case 0:
    return Mask::full();
  case 1:
  case 2:
    return Mask::causal();
  case 3:
  case 4:
  case 5:
    return randomWindow(rng);
  case 6:
  case 7:
    return randomGlobal(rng);
  case 8:
    return Mask::chunked(pick(rng, 1, 12));
  case 9:
    return Mask::strided(randomPeriod(rng));
  case 10:
    return Mask::prefix(pick(rng, -1, 30));
  case 11:
  case 12: {
    int64_t period = randomPeriod(rng);
    return Mask::periodicColumns(period, pick(rng, -1, period + 1));
  }
  case 13:
    return randomDraw(rng);
  case 14:
    return Mask::lastBlock(pick(rng, 1, 12),
                           static_cast<Mask::Direction>(pick(rng, 0, 2)));
  default:
    return Mask(std::make_shared<ForeignNode>(rng(), pick(rng, 1, 3)));
  }
}

/// A composition at most `depth` combinators deep. Without `allowOpaque` it has
/// neither random draws nor masks of other libraries.
inline Mask randomMask(std::mt19937_64 &rng, unsigned depth, bool allowOpaque) {
  if (depth == 0 || pick(rng, 0, 3) == 0)
    return randomPrimitive(rng, allowOpaque);
  int64_t kind = pick(rng, 0, 6);
  if (kind == 0)
    return Mask::complementOf(randomMask(rng, depth - 1, allowOpaque));
  std::vector<Mask> members;
  for (int64_t count = pick(rng, 1, 3); count > 0; --count)
    members.push_back(randomMask(rng, depth - 1, allowOpaque));
  return kind <= 3 ? Mask::unionOf(members) : Mask::intersectionOf(members);
}

/// 1 <= Sq, Sk <= max, equal half of the time.
inline Lengths randomLengths(std::mt19937_64 &rng, int64_t max) {
  Lengths n;
  n.nk = pick(rng, 1, max);
  n.nq = flip(rng) ? n.nk : pick(rng, 1, max);
  return n;
}

inline std::string toString(const Mask &mask) {
  std::string text;
  llvm::raw_string_ostream os(text);
  mask.print(os);
  return text;
}

} // namespace mlir::sparse_attn::test

#endif // SPARSEATTN_TEST_UNIT_MASK_RANDOMMASK_H
