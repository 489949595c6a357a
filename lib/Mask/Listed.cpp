//===- Listed.cpp - Global tokens that data lists -------------------------===//

#include "SparseAttn/Mask/Mask.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

namespace {

/// The rows of listed tokens, or their columns.
class Listed : public MaskNode {
public:
  explicit Listed(bool ofRows) : ofRows(ofRows) {}

  bool contains(const Lengths &n, int64_t, int64_t i,
                int64_t j) const override {
    return isListed(n, ofRows ? i : j);
  }

  IntervalSet liveKeys(const Lengths &n, int64_t, int64_t i,
                       Range keys) const override {
    if (ofRows)
      return isListed(n, i) ? IntervalSet(keys) : IntervalSet();
    llvm::SmallVector<Range> ranges;
    if (n.data)
      for (int64_t token : n.data->globalTokens)
        if (keys.contains(token) && exists(n, token))
          ranges.push_back({token, token + 1});
    return IntervalSet::fromRanges(std::move(ranges));
  }

  /// Without data a tile may be anything; with it, each row is looked at.
  std::optional<TileState> tileState(const Lengths &n, int64_t, Range,
                                     Range) const override {
    if (n.data)
      return std::nullopt;
    return TileState::Partial;
  }

  bool isHeadInvariant() const override { return true; }
  unsigned getDataFact() const override {
    return ofRows ? ListedRow : ListedKey;
  }
  Mask transpose() const override {
    return Mask::listed(ofRows ? Mask::Direction::Columns
                               : Mask::Direction::Rows);
  }
  Mask withData(unsigned facts) const override {
    return facts & getDataFact() ? Mask::full()
                                 : Mask::complementOf(Mask::full());
  }
  void print(llvm::raw_ostream &os) const override {
    os << "listed(" << (ofRows ? "rows" : "columns") << ')';
  }

private:
  static bool exists(const Lengths &n, int64_t position) {
    return position >= 0 && position < n.nk;
  }
  static bool isListed(const Lengths &n, int64_t position) {
    return n.data && exists(n, position) &&
           llvm::is_contained(n.data->globalTokens, position);
  }

  bool ofRows;
};

} // namespace

/// One node for each direction, so that a mask that names one twice asks for it
/// once.
Mask Mask::listed(Direction direction) {
  static const auto rows = std::make_shared<const Listed>(/*ofRows=*/true);
  static const auto columns = std::make_shared<const Listed>(/*ofRows=*/false);
  if (direction == Direction::Rows)
    return Mask(rows);
  if (direction == Direction::Columns)
    return Mask(columns);
  return unionOf({Mask(rows), Mask(columns)});
}
