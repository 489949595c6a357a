//===- SlidingWindow.cpp - Windows around the diagonal --------------------===//

#include "ClosedForm.h"
#include "Integer.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::raw_ostream;

namespace {

struct WindowShape {
  std::optional<int64_t> left, right;
  int64_t dilation, block;

  Piece piece() const {
    // One step of the window is a key, d keys or b keys:
    //   b * floor(i / b) - step * left <= j
    //   j < b * floor(i / b) + step * right + b.
    int64_t step = block * dilation;
    Piece result;
    if (left)
      result.lower.push_back(
          Bound::blockDiagonal(block, -clampedProduct(step, *left)));
    if (right)
      result.upper.push_back(Bound::blockDiagonal(
          block, clampPosition(clampedProduct(step, *right) + block)));
    if (dilation > 1)
      result.residues.push_back(
          {Residue::Subject::KeyMinusQuery, dilation, 0, 1});
    return result;
  }
};

class SlidingWindow : public ClosedForm {
public:
  explicit SlidingWindow(const WindowShape &shape)
      : ClosedForm({shape.piece()}), shape(shape) {}
  bool contains(const Lengths &, int64_t, int64_t i, int64_t j) const override {
    int64_t distance = floorDiv(j, shape.block) - floorDiv(i, shape.block);
    if (distance % shape.dilation != 0)
      return false;
    int64_t steps = distance / shape.dilation;
    return (!shape.left || -*shape.left <= steps) &&
           (!shape.right || steps <= *shape.right);
  }
  Mask transpose() const override {
    return Mask::slidingWindow(shape.right, shape.left, shape.dilation,
                               shape.block);
  }
  void print(raw_ostream &os) const override {
    auto printSide = [&](llvm::StringRef name, std::optional<int64_t> steps) {
      os << name << '=';
      if (steps)
        os << *steps;
      else
        os << "unbounded";
    };
    os << "sliding_window(";
    printSide("left", shape.left);
    printSide(", right", shape.right);
    if (shape.dilation > 1)
      os << ", dilation=" << shape.dilation;
    if (shape.block > 1)
      os << ", block=" << shape.block;
    os << ')';
  }

private:
  WindowShape shape;
};

} // namespace

Mask Mask::slidingWindow(std::optional<int64_t> left,
                         std::optional<int64_t> right, int64_t dilation,
                         int64_t block) {
  if (left)
    left = clampPosition(*left);
  if (right)
    right = clampPosition(*right);
  return Mask(std::make_shared<SlidingWindow>(
      WindowShape{left, right, clampPeriod(dilation), clampPeriod(block)}));
}
