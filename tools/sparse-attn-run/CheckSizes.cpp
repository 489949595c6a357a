//===- CheckSizes.cpp - Whether arguments fit together --------------------===//

#include "Compile.h"
#include "SparseAttn/Support/Error.h"

using namespace mlir;
using namespace mlir::sparse_attn;

using Sizes = SmallVector<int64_t>;

/// The sizes of an operand: those of the argument that it is, or what its type
/// says, which may be dynamic.
static Sizes getSizes(Value value, func::FuncOp func,
                      ArrayRef<Array> arguments) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    if (argument.getOwner() == &func.getBody().front())
      return arguments[argument.getArgNumber()].shape;
  return Sizes(cast<ShapedType>(value.getType()).getShape());
}

static bool mayEqual(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b;
}

static bool mayDivide(int64_t heads, int64_t keyHeads) {
  return ShapedType::isDynamic(heads) || ShapedType::isDynamic(keyHeads) ||
         (keyHeads > 0 && heads % keyHeads == 0);
}

static llvm::Error makeSizeError(AttentionOp op, StringRef what, int64_t a,
                                 int64_t b) {
  op.emitOpError() << "would run with " << what << " " << a << " and " << b;
  return makeError("the arguments do not fit together; give other --input "
                   "files, or a --shape");
}

static llvm::Error checkOp(AttentionOp op, func::FuncOp func,
                           ArrayRef<Array> arguments) {
  Sizes query = getSizes(op.getQuery(), func, arguments);
  Sizes key = getSizes(op.getKey(), func, arguments);
  Sizes value = getSizes(op.getValue(), func, arguments);
  for (int64_t length : {query[2], key[2]})
    if (!ShapedType::isDynamic(length) && length >= maxSequenceLength) {
      op.emitOpError() << "would run with " << length
                       << " positions; sequences must be shorter than "
                       << maxSequenceLength;
      return makeError("the arguments are too long; give smaller --input "
                       "files, or a smaller --shape");
    }
  struct Pair {
    const char *what;
    int64_t a, b;
  };
  SmallVector<Pair> equal = {
      {"query and key batches of", query[0], key[0]},
      {"key and value batches of", key[0], value[0]},
      {"key and value heads of", key[1], value[1]},
      {"key and value lengths of", key[2], value[2]},
  };
  for (Value init : op.getInits()) {
    Sizes sizes = getSizes(init, func, arguments);
    equal.append({{"query and init batches of", query[0], sizes[0]},
                  {"query and init heads of", query[1], sizes[1]},
                  {"query and init lengths of", query[2], sizes[2]}});
  }
  for (const Pair &pair : equal)
    if (!mayEqual(pair.a, pair.b))
      return makeSizeError(op, pair.what, pair.a, pair.b);
  if (!mayDivide(query[1], key[1]))
    return makeSizeError(op, "query heads that key heads do not divide,",
                         query[1], key[1]);
  return llvm::Error::success();
}

llvm::Error mlir::sparse_attn::checkSizes(func::FuncOp func,
                                          ArrayRef<Array> arguments) {
  llvm::Error error = llvm::Error::success();
  func.walk([&](AttentionOp op) {
    llvm::consumeError(std::move(error));
    error = checkOp(op, func, arguments);
    return error ? WalkResult::interrupt() : WalkResult::advance();
  });
  return error;
}
