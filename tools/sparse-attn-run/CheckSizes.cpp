//===- CheckSizes.cpp - Whether arguments fit together --------------------===//

#include "Compile.h"
#include "SparseAttn/Support/Error.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::run_tool;
using namespace mlir::sparse_attn::support;

namespace {
struct Size {
  int64_t value;
  /// Its type says so, not what was given.
  bool isStatic;

  bool isUnknown() const { return ShapedType::isDynamic(value); }
};
} // namespace

using Sizes = SmallVector<Size>;

/// The sizes of an operand: those of the argument that it is, or what its type
/// says, which may be dynamic.
static Sizes getSizes(Value value, func::FuncOp func,
                      ArrayRef<Array> arguments) {
  ArrayRef<int64_t> type = cast<ShapedType>(value.getType()).getShape();
  ArrayRef<int64_t> shape = type;
  if (auto argument = dyn_cast<BlockArgument>(value))
    if (argument.getOwner() == &func.getBody().front())
      shape = arguments[argument.getArgNumber()].shape;
  Sizes sizes;
  for (auto [given, declared] : llvm::zip(shape, type))
    sizes.push_back({given, !ShapedType::isDynamic(declared)});
  return sizes;
}

static bool mayEqual(const Size &a, const Size &b) {
  return a.isUnknown() || b.isUnknown() || a.value == b.value;
}

static bool mayDivide(const Size &heads, const Size &keyHeads) {
  return heads.isUnknown() || keyHeads.isUnknown() ||
         (keyHeads.value > 0 && heads.value % keyHeads.value == 0);
}

static llvm::Error makeSizeError(Operation *op, StringRef what, const Size &a,
                                 const Size &b) {
  op->emitOpError() << "would run with " << what << " " << a.value << " and "
                    << b.value;
  bool fixed = a.isStatic || b.isStatic;
  return makeError("the arguments do not fit together; give other --input "
                   "files, or a --shape{0}",
                   fixed ? "; a size is static unless its type has '?' there"
                         : "");
}

static llvm::Error checkOp(AttentionOp op, func::FuncOp func,
                           ArrayRef<Array> arguments) {
  Sizes query = getSizes(op.getQuery(), func, arguments);
  Sizes key = getSizes(op.getKey(), func, arguments);
  Sizes value = getSizes(op.getValue(), func, arguments);
  // A sequence in pages has as many keys as its row of the table has pages,
  // times the size of a page, which the type tells.
  Value table = op.getDataOperand(kPageTable);
  Size keys = key[2];
  if (table) {
    keys = getSizes(table, func, arguments)[1];
    keys.value *= keys.isUnknown() ? 1 : key[2].value;
  }
  for (const Size &length : {query[2], keys})
    if (!length.isUnknown() && length.value >= maxSequenceLength) {
      op.emitOpError() << "would run with " << length.value
                       << " positions; sequences must be shorter than "
                       << maxSequenceLength;
      return makeError("the arguments are too long; give smaller --input "
                       "files, or a smaller --shape");
    }
  struct Pair {
    const char *what;
    Size a, b;
  };
  SmallVector<Pair> equal = {
      {table ? "key and value pools with pages of" : "key and value batches of",
       key[0], value[0]},
      {"key and value heads of", key[1], value[1]},
      {"key and value lengths of", key[2], value[2]},
  };
  if (!table)
    equal.push_back({"query and key batches of", query[0], key[0]});
  for (Value init : op.getInits()) {
    Sizes sizes = getSizes(init, func, arguments);
    equal.append({{"query and init batches of", query[0], sizes[0]},
                  {"query and init heads of", query[1], sizes[1]},
                  {"query and init lengths of", query[2], sizes[2]}});
  }
  constexpr const char *what[] = {
      "batches of queries and data,", "query heads and those of data,",
      "queries and those of data,", "keys and those of data,"};
  Size have[] = {query[0], query[1], query[2], keys};
  for (const NamedTensor &tensor : op.getNamedTensors())
    for (auto [index, dim] : llvm::enumerate(tensor.dims))
      // A tile has the data of the attention that it is a tile of.
      if (dim >= 0 && op.getOrigin().empty())
        equal.push_back({what[dim], have[dim],
                         getSizes(tensor.value, func, arguments)[index]});
  for (const Pair &pair : equal)
    if (!mayEqual(pair.a, pair.b))
      return makeSizeError(op, pair.what, pair.a, pair.b);
  if (!mayDivide(query[1], key[1]))
    return makeSizeError(op, "query heads that key heads do not divide,",
                         query[1], key[1]);
  return llvm::Error::success();
}

static llvm::Error checkOp(MergeOp op, func::FuncOp func,
                           ArrayRef<Array> arguments) {
  Sizes output = getSizes(op.getFirst(), func, arguments);
  constexpr const char *what[] = {"batches of", "heads of", "lengths of",
                                  "head sizes of"};
  for (Value operand : op->getOperands())
    for (auto [size, expected, name] :
         llvm::zip(getSizes(operand, func, arguments), output, what))
      if (!mayEqual(size, expected))
        return makeSizeError(op, name, expected, size);
  return llvm::Error::success();
}

llvm::Error run_tool::checkSizes(func::FuncOp func, ArrayRef<Array> arguments) {
  llvm::Error error = llvm::Error::success();
  func.walk([&](Operation *op) {
    llvm::consumeError(std::move(error));
    error = llvm::TypeSwitch<Operation *, llvm::Error>(op)
                .Case<AttentionOp, MergeOp>(
                    [&](auto known) { return checkOp(known, func, arguments); })
                .Default([](Operation *) { return llvm::Error::success(); });
    return error ? WalkResult::interrupt() : WalkResult::advance();
  });
  return error;
}
