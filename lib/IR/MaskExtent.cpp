//===- MaskExtent.cpp - How deep and how large a composition may be -------===//
//
// All that is done with a mask descends into its members: printing, planning,
// emitting its predicate. Through aliases a few lines of text spell a mask that
// is thousands deep, or that has 2^n members. So a combinator looks at what it
// is made of, each distinct part once, before it comes into being.
//
//===----------------------------------------------------------------------===//

#include "MaskExtent.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {

/// The levels of a tree of attributes, and its nodes with each shared part
/// counted as often as it occurs.
struct Extent {
  unsigned depth = 0;
  uint64_t size = 0;

  bool isAllowed() const {
    return depth <= kMaxMaskDepth && size <= kMaxMaskSize;
  }
};

class Measure {
public:
  /// The extent of `attribute`, or one beyond the limits. Goes no deeper than
  /// they do, for parts that no combinator of ours has looked at.
  Extent of(Attribute attribute, unsigned level = 1) {
    auto known = extents.find(attribute);
    if (known != extents.end())
      return known->second;
    Extent extent{0, 1};
    if (level > kMaxMaskDepth)
      extent.depth = kMaxMaskDepth;
    else
      attribute.walkImmediateSubElements(
          [&](Attribute part) {
            if (!extent.isAllowed())
              return;
            Extent inside = of(part, level + 1);
            extent.depth = std::max(extent.depth, inside.depth);
            extent.size += inside.size;
          },
          [](Type) {});
    ++extent.depth;
    extents.try_emplace(attribute, extent);
    return extent;
  }

private:
  llvm::DenseMap<Attribute, Extent> extents;
};

} // namespace

LogicalResult mlir::sparse_attn::verifyExtent(
    llvm::function_ref<InFlightDiagnostic()> emitError,
    ArrayRef<MaskAttrInterface> members) {
  Measure measure;
  Extent whole{1, 1};
  for (MaskAttrInterface member : members) {
    Extent extent = measure.of(member);
    whole.depth = std::max(whole.depth, extent.depth + 1);
    whole.size += extent.size;
    if (whole.depth > kMaxMaskDepth)
      return emitError() << "masks nest more than " << kMaxMaskDepth
                         << " deep here, which is the limit; write the mask "
                            "with fewer levels of composition";
    if (whole.size > kMaxMaskSize)
      return emitError() << "the mask is composed of more than " << kMaxMaskSize
                         << " masks, which is the limit; write it with fewer, "
                            "counting each as often as it occurs";
  }
  return success();
}
