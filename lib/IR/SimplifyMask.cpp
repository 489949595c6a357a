//===- SimplifyMask.cpp - Algebraic simplification of masks ---------------===//
//
// Both combinators simplify by one procedure that knows three facts of each:
// which mask is neutral, which one absorbs, and how two windows merge.
//
//   union         full absorbs; members inside another member disappear
//   intersection  full is neutral; members around another member disappear
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

//===----------------------------------------------------------------------===//
// Windows as a lattice
//===----------------------------------------------------------------------===//

namespace {
/// A sliding window without dilation, or causal = <unbounded, 0>.
struct Window {
  WindowExtent left, right;
  int64_t block = 1;

  static std::optional<Window> of(MaskAttrInterface mask) {
    if (isa<CausalAttr>(mask))
      return Window{{}, {0}, 1};
    auto window = dyn_cast<SlidingWindowAttr>(mask);
    if (!window || window.getDilation() != 1)
      return std::nullopt;
    return Window{window.getLeft(), window.getRight(), window.getBlock()};
  }
  MaskAttrInterface toMask(MLIRContext *context) const {
    if (!left.value && !right.value)
      return FullAttr::get(context);
    if (!left.value && right.value == 0 && block == 1)
      return CausalAttr::get(context);
    return SlidingWindowAttr::get(context, left, right, 1, block);
  }
};
} // namespace

/// a <= b, with unbounded the largest.
static bool reachesNoFurther(WindowExtent a, WindowExtent b) {
  return !b.value || (a.value && *a.value <= *b.value);
}

static WindowExtent nearer(WindowExtent a, WindowExtent b) {
  return reachesNoFurther(a, b) ? a : b;
}

/// True when every pair of `inner` is certainly one of `outer`.
static bool isInside(MaskAttrInterface inner, MaskAttrInterface outer) {
  if (inner == outer || isa<FullAttr>(outer))
    return true;
  if (auto any = dyn_cast<UnionAttr>(outer))
    return llvm::any_of(any.getMembers(), [&](MaskAttrInterface member) {
      return isInside(inner, member);
    });
  if (auto all = dyn_cast<IntersectionAttr>(inner))
    return llvm::any_of(all.getMembers(), [&](MaskAttrInterface member) {
      return isInside(member, outer);
    });
  std::optional<Window> a = Window::of(inner), b = Window::of(outer);
  if (a && b && a->block == b->block)
    return reachesNoFurther(a->left, b->left) &&
           reachesNoFurther(a->right, b->right);
  auto p = dyn_cast<PrefixAttr>(inner), q = dyn_cast<PrefixAttr>(outer);
  return p && q && p.getLength() <= q.getLength();
}

/// The one window that is the intersection of both, if they share a block.
static MaskAttrInterface intersectWindows(MaskAttrInterface x,
                                          MaskAttrInterface y) {
  std::optional<Window> a = Window::of(x), b = Window::of(y);
  if (!a || !b || a->block != b->block)
    return nullptr;
  return Window{nearer(a->left, b->left), nearer(a->right, b->right), a->block}
      .toMask(x.getContext());
}

/// <unbounded, unbounded> -> full;  <unbounded, 0> -> causal
MaskAttrInterface SlidingWindowAttr::simplify() const {
  if (std::optional<Window> window = Window::of(*this))
    return window->toMask(getContext());
  return *this;
}

//===----------------------------------------------------------------------===//
// Combinators
//===----------------------------------------------------------------------===//

/// Simplified members with members of the same combinator taken up.
template <typename Combinator>
static SmallVector<MaskAttrInterface> flatten(Combinator attr) {
  SmallVector<MaskAttrInterface> flat;
  for (MaskAttrInterface member : attr.getMembers()) {
    MaskAttrInterface simple = member.simplify();
    if (auto same = dyn_cast<Combinator>(simple))
      llvm::append_range(flat, same.getMembers());
    else
      flat.push_back(simple);
  }
  return flat;
}

/// Keeps, in order, the members that no other member makes redundant.
static SmallVector<MaskAttrInterface> dropRedundant(
    ArrayRef<MaskAttrInterface> members,
    llvm::function_ref<bool(MaskAttrInterface, MaskAttrInterface)> redundant) {
  SmallVector<MaskAttrInterface> kept;
  for (auto [index, member] : llvm::enumerate(members)) {
    bool drop = false;
    for (auto [other, by] : llvm::enumerate(members)) {
      // The first one stays of two that make each other redundant.
      bool mutual = redundant(by, member);
      if (other != index && redundant(member, by) && (!mutual || other < index))
        drop = true;
    }
    if (!drop)
      kept.push_back(member);
  }
  return kept;
}

MaskAttrInterface UnionAttr::simplify() const {
  SmallVector<MaskAttrInterface> members =
      dropRedundant(flatten(*this), isInside);
  if (members.size() == 1)
    return members.front();
  return UnionAttr::get(getContext(), members);
}

MaskAttrInterface IntersectionAttr::simplify() const {
  SmallVector<MaskAttrInterface> merged;
  for (MaskAttrInterface member : flatten(*this)) {
    for (MaskAttrInterface &earlier : merged)
      if (MaskAttrInterface both = intersectWindows(earlier, member)) {
        earlier = both;
        member = nullptr;
        break;
      }
    if (member)
      merged.push_back(member);
  }
  SmallVector<MaskAttrInterface> members =
      dropRedundant(merged, [](MaskAttrInterface member, MaskAttrInterface by) {
        return isInside(by, member);
      });
  if (members.size() == 1)
    return members.front();
  return IntersectionAttr::get(getContext(), members);
}

MaskAttrInterface ComplementAttr::simplify() const {
  MaskAttrInterface operand = getOperand().simplify();
  if (auto inner = dyn_cast<ComplementAttr>(operand))
    return inner.getOperand();
  return ComplementAttr::get(getContext(), operand);
}

MaskAttrInterface mlir::sparse_attn::simplifyMask(MaskAttrInterface mask) {
  // One round can make another rule apply; each round only shortens.
  for (MaskAttrInterface next = mask.simplify(); next != mask;
       next = mask.simplify())
    mask = next;
  return mask;
}
