//===- DataOperands.cpp - What attention reads beside Q, K and V ----------===//

#include "DataOperands.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
/// A data operand.
struct DataKind {
  StringRef name;
  /// Which of B, Hq, Sq and Sk its only dimension is; kBroadcast where it has
  /// up to these four, each of which may be 1, and kAny where it may be any
  /// tensor.
  int dim;
  bool isFloat; ///< f32, or i32

  static constexpr int kBroadcast = -1, kAny = -2;
  bool isAny() const { return dim == kAny; }
};
} // namespace

/// Tensors that a score region reads.
constexpr StringRef kExtra = "extra";

constexpr DataKind kKinds[] = {
    {kKeyLengths, 0, /*isFloat=*/false},
    {kQueryLengths, 0, /*isFloat=*/false},
    {kSinks, 1, /*isFloat=*/true},
    {kSlopes, 1, /*isFloat=*/true},
    {kBias, DataKind::kBroadcast, /*isFloat=*/true},
    {kExtra, DataKind::kAny, /*isFloat=*/true},
};

constexpr StringRef kSizes[] = {"sequences", "query heads", "queries", "keys"};

static const DataKind *findKind(StringRef name) {
  const auto *kind = llvm::find_if(
      kKinds, [&](const DataKind &kind) { return kind.name == name; });
  return kind == std::end(kKinds) ? nullptr : kind;
}

/// Sizes are aligned at the last, and one of 1 is that of all.
static SmallVector<int, 4> broadcastDims(ShapedType type) {
  SmallVector<int, 4> dims;
  int before = 4 - int(type.getRank());
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    dims.push_back(size == 1 ? -1 : before + int(dim));
  return dims;
}

SmallVector<int, 4> mlir::sparse_attn::dimsOfData(StringRef name,
                                                  ShapedType type) {
  const DataKind *kind = findKind(name);
  if (!kind || kind->isAny())
    return {};
  return kind->dim == DataKind::kBroadcast ? broadcastDims(type)
                                           : SmallVector<int, 4>{kind->dim};
}

//===----------------------------------------------------------------------===//
// Spelling
//===----------------------------------------------------------------------===//

ParseResult sparse_attn::parseData(
    OpAsmParser &parser,
    SmallVectorImpl<OpAsmParser::UnresolvedOperand> &operands,
    SmallVectorImpl<Type> &types, ArrayAttr &names) {
  if (failed(parser.parseOptionalKeyword("data")))
    return success();
  SmallVector<Attribute> found;
  auto parseOne = [&]() -> ParseResult {
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    found.push_back(parser.getBuilder().getStringAttr(name));
    return failure(parser.parseEqual() ||
                   parser.parseOperand(operands.emplace_back()) ||
                   parser.parseColonType(types.emplace_back()));
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseOne))
    return failure();
  if (!found.empty())
    names = parser.getBuilder().getArrayAttr(found);
  return success();
}

void sparse_attn::printData(OpAsmPrinter &printer, Operation *,
                            OperandRange operands, TypeRange types,
                            ArrayAttr names) {
  if (operands.empty())
    return;
  printer << "data(";
  llvm::interleaveComma(
      llvm::zip(names.getAsRange<StringAttr>(), operands, types), printer,
      [&](auto one) {
        auto [name, operand, type] = one;
        printer << name.getValue() << " = " << operand << " : " << type;
      });
  printer << ") ";
}

//===----------------------------------------------------------------------===//
// Verifier
//===----------------------------------------------------------------------===//

/// The size of dimension `dim` of [B, Hq, Sq, Sk], where it is static.
static std::optional<int64_t> sizeOf(AttentionOp op, int dim) {
  return dim < 3 ? staticDim(op.getQueryType(), dim)
                 : staticDim(op.getKeyType(), 2);
}

static LogicalResult verifyKind(AttentionOp op, const DataKind &kind,
                                ShapedType type) {
  Type element = type.getElementType();
  bool fits = kind.isFloat ? element.isF32() : element.isInteger(32);
  fits &= kind.dim == DataKind::kBroadcast ? type.getRank() <= 4
                                           : type.getRank() == 1;
  if (!fits) {
    InFlightDiagnostic error = op.emitOpError()
                               << "data operand " << kind.name << " must be ";
    if (kind.dim == DataKind::kBroadcast)
      error << "[sequences, query heads, queries, keys], any of which may be 1";
    else
      error << "[" << kSizes[kind.dim] << "]";
    return error << ", of " << (kind.isFloat ? "f32" : "i32") << ", got "
                 << type;
  }
  // A tile has that of the attention it is a tile of.
  if (!op.getOrigin().empty())
    return success();
  for (auto [index, dim] : llvm::enumerate(dimsOfData(kind.name, type))) {
    if (dim < 0)
      continue;
    std::optional<int64_t> have = staticDim(type, index),
                           want = sizeOf(op, dim);
    if (have && want && *have != *want)
      return op.emitOpError()
             << "data operand " << kind.name << " is of " << *have << " "
             << kSizes[dim] << ", of which there are " << *want;
  }
  return success();
}

/// A tensor that a score region reads has to be read there; buffers are read
/// under names of their own.
static LogicalResult verifyExtra(AttentionOp op, Value extra) {
  auto isInside = [&](Operation *user) {
    return op.getScore().isAncestor(user->getParentRegion());
  };
  if (isa<MemRefType>(extra.getType()) ||
      llvm::any_of(extra.getUsers(), isInside))
    return success();
  return op.emitOpError("has the data operand extra, which its score region "
                        "does not read; leave it out");
}

LogicalResult mlir::sparse_attn::verifyData(AttentionOp op) {
  ArrayAttr names = op.getDataNamesAttr();
  size_t count = names ? names.size() : 0;
  if (count != op.getData().size())
    return op.emitOpError() << "has " << op.getData().size()
                            << " data operands and " << count << " names";
  SmallPtrSet<Attribute, 4> seen;
  for (size_t index = 0; index < count; ++index) {
    auto name = cast<StringAttr>(names[index]);
    const DataKind *kind = findKind(name.getValue());
    if (!kind) {
      InFlightDiagnostic error = op.emitOpError()
                                 << "has no data operand '" << name.getValue()
                                 << "'; there are ";
      llvm::interleaveComma(kKinds, error,
                            [&](const DataKind &one) { error << one.name; });
      return error;
    }
    Value value = op.getData()[index];
    if (kind->isAny()) {
      if (failed(verifyExtra(op, value)))
        return failure();
      continue;
    }
    if (!seen.insert(name).second)
      return op.emitOpError()
             << "has the data operand " << name.getValue() << " twice";
    if (failed(verifyKind(op, *kind, cast<ShapedType>(value.getType()))))
      return failure();
  }
  return success();
}

Value mlir::sparse_attn::loadBias(OpBuilder &b, Location loc, Value bias,
                                  ArrayRef<Value> at) {
  SmallVector<Value> indices;
  for (int dim : broadcastDims(cast<ShapedType>(bias.getType())))
    indices.push_back(dim < 0 ? arith::ConstantIndexOp::create(b, loc, 0)
                              : at[dim]);
  return tensor::ExtractOp::create(b, loc, bias, indices);
}

Value AttentionOp::getDataOperand(StringRef name) {
  ArrayAttr names = getDataNamesAttr();
  if (!names)
    return {};
  for (auto [index, other] : llvm::enumerate(names.getAsRange<StringAttr>()))
    if (other.getValue() == name)
      return getData()[index];
  return {};
}
