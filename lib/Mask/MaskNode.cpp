//===- MaskNode.cpp - What any mask can answer from its formula -----------===//

#include "SparseAttn/Mask/Mask.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::SmallVector;

MaskNode::~MaskNode() = default;

IntervalSet MaskNode::liveKeys(const Lengths &n, int64_t head, int64_t i,
                               Range keys) const {
  SmallVector<Range> ranges;
  for (int64_t j = keys.begin; j < keys.end; ++j) {
    if (!contains(n, head, i, j))
      continue;
    if (!ranges.empty() && ranges.back().end == j)
      ++ranges.back().end;
    else
      ranges.push_back({j, j + 1});
  }
  return IntervalSet::fromRanges(std::move(ranges));
}

std::optional<Pieces> MaskNode::pieces(bool negated, unsigned maxPieces) const {
  if (maxPieces == 0)
    return std::nullopt;
  Piece piece;
  piece.opaque.push_back({shared_from_this(), negated});
  return Pieces{piece};
}

bool MaskNode::isHeadInvariant() const { return false; }

Mask MaskNode::withData(unsigned) const { return Mask(shared_from_this()); }

int64_t MaskNode::getRowGranularity() const { return 1; }

std::optional<TileState> MaskNode::tileState(const Lengths &, int64_t, Range,
                                             Range) const {
  return std::nullopt;
}

namespace {

/// The transpose of a mask that has none in closed form.
class Transposed : public MaskNode {
public:
  explicit Transposed(std::shared_ptr<const MaskNode> original)
      : original(std::move(original)) {}

  bool contains(const Lengths &n, int64_t head, int64_t i,
                int64_t j) const override {
    return original->contains(n, head, j, i);
  }

  IntervalSet liveKeys(const Lengths &n, int64_t head, int64_t i,
                       Range keys) const override {
    // Keys here are the rows of the original, alike in groups.
    int64_t g = original->getRowGranularity();
    SmallVector<Range> ranges;
    for (int64_t j = keys.begin; j < keys.end;) {
      int64_t next = std::min(keys.end, (j / g + 1) * g);
      if (original->contains(n, head, j, i))
        ranges.push_back({j, next});
      j = next;
    }
    return IntervalSet::fromRanges(std::move(ranges));
  }

  int64_t getRowGranularity() const override {
    const RandomBlocks *draw = original->getRandomBlocks();
    return draw ? draw->block : 1;
  }
  bool isHeadInvariant() const override { return original->isHeadInvariant(); }
  unsigned getDataFacts() const override {
    return transposed(original->getDataFacts());
  }
  Mask withData(unsigned facts) const override {
    return original->withData(transposed(facts)).transpose();
  }
  Mask transpose() const override { return Mask(original); }
  void print(llvm::raw_ostream &os) const override {
    os << "transpose(";
    original->print(os);
    os << ')';
  }

private:
  /// The facts that hold of a pair (j, i) where `facts` hold of (i, j).
  static unsigned transposed(unsigned facts) {
    unsigned others = facts & ~(ListedRow | ListedKey);
    return others | (facts & ListedRow ? ListedKey : 0) |
           (facts & ListedKey ? ListedRow : 0);
  }

  std::shared_ptr<const MaskNode> original;
};

} // namespace

Mask MaskNode::transpose() const {
  return Mask(std::make_shared<Transposed>(shared_from_this()));
}
