//===- Document.cpp - Pairs of one document -------------------------------===//

#include "SparseAttn/Mask/Mask.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

namespace {

class Document : public MaskNode {
public:
  bool contains(const Lengths &n, int64_t, int64_t i,
                int64_t j) const override {
    if (!n.data)
      return 0 <= i && i < n.nk;
    int32_t document = documentOf(n, i);
    return document >= 0 && document == documentOf(n, j);
  }

  /// Without data a tile may be anything; with it, each row is looked at.
  std::optional<TileState> tileState(const Lengths &n, int64_t, Range,
                                     Range) const override {
    if (n.data)
      return std::nullopt;
    return TileState::Partial;
  }

  bool isHeadInvariant() const override { return true; }
  unsigned getDataFact() const override { return OneDocument; }
  Mask transpose() const override { return Mask(shared_from_this()); }
  Mask withData(unsigned facts) const override {
    return facts & OneDocument ? Mask::full()
                               : Mask::complementOf(Mask::full());
  }
  void print(llvm::raw_ostream &os) const override { os << "document"; }

private:
  static int32_t documentOf(const Lengths &n, int64_t position) {
    int64_t slot = position - n.data->firstPosition;
    if (slot < 0 || position >= n.nk)
      return -1;
    return n.data->documents[slot];
  }
};

} // namespace

/// One node, so that a mask that names documents twice asks for them once.
Mask Mask::document() {
  static const auto node = std::make_shared<const Document>();
  return Mask(node);
}
