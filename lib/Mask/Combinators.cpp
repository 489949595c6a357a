//===- Combinators.cpp - Union, intersection and complement ---------------===//

#include "ClosedForm.h"
#include "PieceAlgebra.h"
#include "SparseAttn/Mask/Predicate.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVectorExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::ArrayRef;
using llvm::raw_ostream;
using llvm::SmallVector;

namespace {

using State = std::optional<TileState>;

State complementState(State state) {
  if (state == TileState::Empty)
    return TileState::Full;
  if (state == TileState::Full)
    return TileState::Empty;
  return state;
}

/// What union and intersection share: everything but the operation.
class Combinator : public MaskNode {
public:
  explicit Combinator(ArrayRef<Mask> members)
      : members(members.begin(), members.end()) {}

  bool isHeadInvariant() const override {
    return llvm::all_of(members,
                        [](const Mask &m) { return m.isHeadInvariant(); });
  }
  unsigned getDataFacts() const override {
    unsigned facts = 0;
    for (const Mask &member : members)
      facts |= member.getDataFacts();
    return facts;
  }

protected:
  SmallVector<Mask, 3> membersWithData(unsigned facts) const {
    return llvm::map_to_vector<3>(
        members, [&](const Mask &m) { return m.withData(facts); });
  }
  SmallVector<Mask, 3> transposedMembers() const {
    return llvm::map_to_vector<3>(members,
                                  [](const Mask &m) { return m.transpose(); });
  }

  std::optional<Pieces> unitePieces(bool negated, unsigned maxPieces) const {
    Pieces result;
    for (const Mask &member : members) {
      std::optional<Pieces> more = member.getNode().pieces(negated, maxPieces);
      if (!more || !addPieces(result, *more, maxPieces))
        return std::nullopt;
    }
    return result;
  }

  std::optional<Pieces> intersectAllPieces(bool negated,
                                           unsigned maxPieces) const {
    if (maxPieces == 0 && members.empty())
      return std::nullopt;
    std::optional<Pieces> result = Pieces{Piece()};
    for (const Mask &member : members) {
      std::optional<Pieces> more = member.getNode().pieces(negated, maxPieces);
      if (!more)
        return std::nullopt;
      result = intersectPieces(*result, *more, maxPieces);
      if (!result)
        return std::nullopt;
    }
    return result;
  }

  /// The pieces, or where they are so many that members cost less by
  /// themselves, those.
  Predicate cheaperPredicate(bool negated, bool isUnion) const {
    std::vector<Predicate> parts;
    for (const Mask &member : members)
      parts.push_back(member.getNode().predicate(negated));
    Predicate byMembers = isUnion ? Predicate::any(std::move(parts))
                                  : Predicate::all(std::move(parts));
    std::optional<Pieces> all = pieces(negated, defaultMaxPieces);
    if (!all)
      return byMembers;
    Predicate byPieces = Predicate::unionOf(std::move(*all));
    return byPieces.cost() <= byMembers.cost() ? byPieces : byMembers;
  }

  void printAs(raw_ostream &os, llvm::StringRef name) const {
    os << name << '(';
    llvm::interleaveComma(members, os,
                          [&](const Mask &member) { member.print(os); });
    os << ')';
  }

  SmallVector<Mask, 3> members;
};

class Union : public Combinator {
public:
  using Combinator::Combinator;

  bool contains(const Lengths &n, int64_t head, int64_t i,
                int64_t j) const override {
    return llvm::any_of(
        members, [&](const Mask &m) { return m.contains(n, head, i, j); });
  }
  IntervalSet liveKeys(const Lengths &n, int64_t head, int64_t i,
                       Range keys) const override {
    IntervalSet live;
    for (const Mask &member : members)
      live = live.unite(member.getNode().liveKeys(n, head, i, keys));
    return live;
  }
  std::optional<Pieces> pieces(bool negated,
                               unsigned maxPieces) const override {
    return negated ? intersectAllPieces(negated, maxPieces)
                   : unitePieces(negated, maxPieces);
  }
  Predicate predicate(bool negated) const override {
    return cheaperPredicate(negated, /*isUnion=*/!negated);
  }
  State tileState(const Lengths &n, int64_t head, Range rows,
                  Range keys) const override {
    return uniteStates(llvm::map_to_vector<4>(members, [&](const Mask &m) {
      return m.getNode().tileState(n, head, rows, keys);
    }));
  }
  Mask transpose() const override { return Mask::unionOf(transposedMembers()); }
  Mask withData(unsigned facts) const override {
    return Mask::unionOf(membersWithData(facts));
  }
  void print(raw_ostream &os) const override { printAs(os, "union"); }
};

class Intersection : public Combinator {
public:
  using Combinator::Combinator;

  bool contains(const Lengths &n, int64_t head, int64_t i,
                int64_t j) const override {
    return llvm::all_of(
        members, [&](const Mask &m) { return m.contains(n, head, i, j); });
  }
  IntervalSet liveKeys(const Lengths &n, int64_t head, int64_t i,
                       Range keys) const override {
    IntervalSet live = keys;
    for (const Mask &member : members) {
      if (live.empty())
        break;
      // Ask for no more than what the members before have left.
      Range hull{live.ranges().front().begin, live.ranges().back().end};
      live = live.intersect(member.getNode().liveKeys(n, head, i, hull));
    }
    return live;
  }
  std::optional<Pieces> pieces(bool negated,
                               unsigned maxPieces) const override {
    return negated ? unitePieces(negated, maxPieces)
                   : intersectAllPieces(negated, maxPieces);
  }
  Predicate predicate(bool negated) const override {
    return cheaperPredicate(negated, /*isUnion=*/negated);
  }
  State tileState(const Lengths &n, int64_t head, Range rows,
                  Range keys) const override {
    return complementState(
        uniteStates(llvm::map_to_vector<4>(members, [&](const Mask &m) {
          return complementState(m.getNode().tileState(n, head, rows, keys));
        })));
  }
  Mask transpose() const override {
    return Mask::intersectionOf(transposedMembers());
  }
  Mask withData(unsigned facts) const override {
    return Mask::intersectionOf(membersWithData(facts));
  }
  void print(raw_ostream &os) const override { printAs(os, "intersection"); }
};

class Complement : public MaskNode {
public:
  explicit Complement(Mask mask) : mask(std::move(mask)) {}

  bool contains(const Lengths &n, int64_t head, int64_t i,
                int64_t j) const override {
    return !mask.contains(n, head, i, j);
  }
  IntervalSet liveKeys(const Lengths &n, int64_t head, int64_t i,
                       Range keys) const override {
    return mask.getNode().liveKeys(n, head, i, keys).complementIn(keys);
  }
  std::optional<Pieces> pieces(bool negated,
                               unsigned maxPieces) const override {
    return mask.getNode().pieces(!negated, maxPieces);
  }
  Predicate predicate(bool negated) const override {
    return mask.getNode().predicate(!negated);
  }
  State tileState(const Lengths &n, int64_t head, Range rows,
                  Range keys) const override {
    return complementState(mask.getNode().tileState(n, head, rows, keys));
  }
  Mask transpose() const override {
    return Mask::complementOf(mask.transpose());
  }
  bool isHeadInvariant() const override { return mask.isHeadInvariant(); }
  unsigned getDataFacts() const override { return mask.getDataFacts(); }
  Mask withData(unsigned facts) const override {
    return Mask::complementOf(mask.withData(facts));
  }
  void print(raw_ostream &os) const override {
    os << "complement(";
    mask.print(os);
    os << ')';
  }

private:
  Mask mask;
};

} // namespace

Mask Mask::unionOf(ArrayRef<Mask> members) {
  return Mask(std::make_shared<Union>(members));
}

Mask Mask::intersectionOf(ArrayRef<Mask> members) {
  return Mask(std::make_shared<Intersection>(members));
}

Mask Mask::complementOf(Mask mask) {
  return Mask(std::make_shared<Complement>(std::move(mask)));
}
