//===- CountMatching.cpp - Keys of a range in residue classes -------------===//

#include "CountMatching.h"
#include "Integer.h"
#include <optional>
#include <utility>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::ArrayRef;
using llvm::SmallVector;

static int64_t originOf(const Residue &residue, int64_t i) {
  return residue.subject == Residue::Subject::KeyMinusQuery ? i : 0;
}

/// The keys of `range` that satisfy one of `active`, in row i.
static IntervalSet matchingKeys(ArrayRef<Residues> active, int64_t i,
                                Range range) {
  IntervalSet keys;
  for (Residues residues : active) {
    IntervalSet matching = range;
    for (const Residue &residue : residues)
      if (residue.subject != Residue::Subject::Query)
        matching = matching.intersect(
            residueClass(residue, originOf(residue, i), range));
    keys = keys.unite(matching);
  }
  return keys;
}

/// The number of x in [0, end) with x mod modulus in [begin, end) of
/// `residue`; negative `end` counts [end, 0) negatively.
static int64_t countBelow(const Residue &residue, int64_t end) {
  int64_t width = residue.end - residue.begin;
  int64_t rest = floorMod(end, residue.modulus) - residue.begin;
  return floorDiv(end, residue.modulus) * width +
         std::clamp<int64_t>(rest, 0, width);
}

namespace {

/// The x with x mod modulus == rest, and no x at all for modulus 0.
struct Congruence {
  int64_t rest = 0, modulus = 1;
};

} // namespace

/// The inverse of x modulo m, for coprime x and m > 1.
static int64_t inverse(int64_t x, int64_t m) {
  int64_t a = m, b = x % m, u = 0, v = 1;
  // u * x = a and v * x = b, modulo m.
  while (b) {
    int64_t q = a / b;
    a = std::exchange(b, a - q * b);
    u = std::exchange(v, u - q * v);
  }
  return floorMod(u, m);
}

/// Both congruences at once, by the Chinese remainder theorem.
static Congruence meet(Congruence a, Congruence b) {
  if (!a.modulus || !b.modulus)
    return {0, 0};
  // A modulus at the limit stands for a longer one: `rest` is the only member.
  if (a.modulus >= positionLimit)
    return floorMod(a.rest - b.rest, b.modulus) ? Congruence{0, 0} : a;
  if (b.modulus >= positionLimit)
    return meet(b, a);
  int64_t g = std::gcd(a.modulus, b.modulus);
  int64_t difference = b.rest - a.rest;
  if (difference % g != 0)
    return {0, 0};
  int64_t n = b.modulus / g;
  if (n == 1)
    return a;
  // x = a + m_a * t with m_a / g * t = (b - a) / g modulo m_b / g.
  __int128 t = floorMod(difference / g, n);
  t = t * inverse(a.modulus / g, n) % n;
  __int128 rest = a.rest + t * a.modulus;
  if (rest >= positionLimit)
    return {0, 0};
  return {int64_t(rest), clampedProduct(a.modulus, n)};
}

/// The keys of a conjunction as a congruence, where each residue is a single
/// one.
static std::optional<Congruence> toCongruence(Residues residues, int64_t i) {
  Congruence result;
  for (const Residue &residue : residues) {
    if (residue.subject == Residue::Subject::Query)
      continue;
    if (residue.end - residue.begin != 1)
      return std::nullopt;
    int64_t rest =
        floorMod(residue.begin + originOf(residue, i), residue.modulus);
    result = meet(result, {rest, residue.modulus});
  }
  return result;
}

static int64_t countCongruent(Congruence c, Range range) {
  if (!c.modulus)
    return 0;
  return floorDiv(range.end - 1 - c.rest, c.modulus) -
         floorDiv(range.begin - 1 - c.rest, c.modulus);
}

/// |A or B or ...| of `members`, inside `inside`:
/// |A| + |B or ...| - |A and (B or ...)|.
static int64_t countUnion(ArrayRef<Congruence> members, Congruence inside,
                          Range range) {
  if (members.empty() || !inside.modulus)
    return 0;
  Congruence first = meet(inside, members.front());
  ArrayRef<Congruence> others = members.drop_front();
  return countCongruent(first, range) + countUnion(others, inside, range) -
         countUnion(others, first, range);
}

/// countMatching by inclusion and exclusion, which costs the same however
/// long the common period is.
static std::optional<uint64_t> countCongruences(ArrayRef<Residues> active,
                                                int64_t i, Range range) {
  // 2^n terms.
  if (active.size() > 4)
    return std::nullopt;
  SmallVector<Congruence, 4> members;
  for (Residues residues : active) {
    std::optional<Congruence> congruence = toCongruence(residues, i);
    if (!congruence)
      return std::nullopt;
    members.push_back(*congruence);
  }
  return countUnion(members, Congruence(), range);
}

uint64_t mask::countMatching(ArrayRef<Residues> active, int64_t i,
                             Range range) {
  if (active.size() == 1) {
    SmallVector<Residue, 2> ofKeys;
    for (const Residue &residue : active.front())
      if (residue.subject != Residue::Subject::Query)
        ofKeys.push_back(residue);
    if (ofKeys.empty())
      return range.size();
    if (ofKeys.size() == 1) {
      int64_t origin = originOf(ofKeys.front(), i);
      return countBelow(ofKeys.front(), range.end - origin) -
             countBelow(ofKeys.front(), range.begin - origin);
    }
  }
  if (std::optional<uint64_t> count = countCongruences(active, i, range))
    return *count;
  int64_t period = 1;
  for (Residues residues : active)
    for (const Residue &residue : residues)
      period = clampedLcm(period, residue.modulus);
  if (range.size() <= period)
    return matchingKeys(active, i, range).size();
  IntervalSet one =
      matchingKeys(active, i, {range.begin, range.begin + period});
  Range rest{range.begin, range.begin + range.size() % period};
  return range.size() / period * one.size() + one.intersect(rest).size();
}
