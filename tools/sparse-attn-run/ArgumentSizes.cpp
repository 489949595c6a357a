//===- ArgumentSizes.cpp - Sizes of arguments from types and --shape ------===//

#include "ArgumentSizes.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Support/Error.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::run_tool;
using namespace mlir::sparse_attn::support;

ArgumentSizes::ArgumentSizes(func::FuncOp func) : func(func) {
  for (Type type : func.getArgumentTypes())
    names.emplace_back(cast<RankedTensorType>(type).getRank());
  func.walk([&](AttentionOp op) {
    addNames(op.getQuery(), {kBatchSize, kQueryHeads, kNumQueries});
    for (Value value : {op.getKey(), op.getValue()}) {
      // Those of a pool of pages have names of their own.
      if (op.getDataOperand(kPageTable))
        addName(value, /*dim=*/1, kKeyHeads);
      else
        addNames(value, {kBatchSize, kKeyHeads, kNumKeys});
    }
    for (Value init : op.getInits())
      addNames(init, {kBatchSize, kQueryHeads, kNumQueries});
    constexpr SizeName ofData[] = {kBatchSize, kQueryHeads, kNumQueries,
                                   kNumKeys};
    for (const NamedTensor &tensor : op.getNamedTensors())
      for (auto [index, dim] : llvm::enumerate(tensor.dims))
        if (dim >= 0 && op.getOrigin().empty())
          addName(tensor.value, index, ofData[dim]);
  });
  func.walk([&](MergeOp op) {
    for (Value operand : op->getOperands())
      addNames(operand, {kBatchSize, kQueryHeads, kNumQueries});
  });
}

void ArgumentSizes::addNames(Value value, ArrayRef<SizeName> sizes) {
  for (auto [dim, size] : llvm::enumerate(sizes))
    addName(value, dim, size);
}

void ArgumentSizes::addName(Value value, unsigned dim, const SizeName &size) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto cast = dyn_cast<tensor::CastOp>(op))
      value = cast.getSource();
    else if (auto attention = dyn_cast<AttentionOp>(op))
      value = attention.getQuery(); // O and LSE have its first sizes.
    else if (auto merge = dyn_cast<MergeOp>(op))
      value = merge.getFirst();
    else
      return;
  }
  auto argument = cast<BlockArgument>(value);
  if (argument.getOwner() != &func.getBody().front())
    return;
  SmallVector<SizeName, 2> &known = names[argument.getArgNumber()][dim];
  if (!llvm::is_contained(known, size))
    known.push_back(size);
}

llvm::Expected<int64_t> ArgumentSizes::bind(unsigned index, unsigned dim,
                                            ShapeBindings &bindings) const {
  std::string where =
      llvm::formatv("dimension {0} of argument {1}", dim, index);
  ArrayRef<SizeName> sizes = names[index][dim];
  if (sizes.empty()) {
    std::string name = llvm::formatv("arg{0}_dim{1}", index, dim);
    if (std::optional<int64_t> bound = bindings.bind(name))
      return *bound;
    return makeError("{0} is dynamic; give its size with --shape={1}=SIZE",
                     where, name);
  }
  auto bound = bindings.bind(sizes, where, owner());
  if (!bound)
    return bound.takeError();
  if (*bound)
    return **bound;
  return makeError("{0}, the {1}, is dynamic; give it with {2}", where,
                   sizes.front().what, ShapeBindings::getFlag(sizes.front()));
}

void ArgumentSizes::noteStatic(unsigned index, unsigned dim, int64_t size,
                               ShapeBindings &bindings) const {
  for (const SizeName &name : names[index][dim])
    bindings.noteStatic(name, owner(), size);
}

std::string ArgumentSizes::owner() const {
  return ("@" + func.getName()).str();
}

void ArgumentSizes::noteNames(unsigned first, ShapeBindings &bindings) const {
  for (unsigned index = first; index < names.size(); ++index) {
    auto type = cast<RankedTensorType>(func.getArgumentTypes()[index]);
    for (auto [dim, size] : llvm::enumerate(type.getShape()))
      if (!ShapedType::isDynamic(size))
        noteStatic(index, dim, size, bindings);
      else // What fails here fails in bindShape.
        llvm::consumeError(bind(index, dim, bindings).takeError());
  }
}

llvm::Expected<SmallVector<int64_t>>
ArgumentSizes::bindShape(unsigned index, ShapeBindings &bindings) const {
  auto type = cast<RankedTensorType>(func.getArgumentTypes()[index]);
  SmallVector<int64_t> shape(type.getShape());
  for (auto [dim, size] : llvm::enumerate(shape)) {
    if (!ShapedType::isDynamic(size))
      continue;
    llvm::Expected<int64_t> bound = bind(index, dim, bindings);
    if (!bound)
      return bound.takeError();
    size = *bound;
  }
  return shape;
}

void ArgumentSizes::noteInput(unsigned index, ArrayRef<int64_t> shape,
                              StringRef file, ShapeBindings &bindings) const {
  auto type = cast<RankedTensorType>(func.getArgumentTypes()[index]);
  for (auto [dim, size] : llvm::enumerate(shape)) {
    if (!type.isDynamicDim(dim)) {
      noteStatic(index, dim, size, bindings);
      continue;
    }
    for (const SizeName &name : names[index][dim])
      bindings.noteFixed(name, owner(), size, ("--input=" + file).str());
  }
}
