//===- DataOperands.cpp - What attention reads beside Q, K and V ----------===//

#include "DataOperands.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <array>

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
/// A data operand.
struct DataKind {
  enum class Shape {
    Fixed,     ///< its dimensions are `dims`
    Sequences, ///< one number of all sequences, or [B]
    Broadcast, ///< up to B, Hq, Sq and Sk, each of which may be 1
    Any,       ///< any tensor
  };
  enum class Element { F32, I32, I64 };
  StringRef name;
  Shape shape;
  Element element;
  /// Which of `kSizes` its dimensions are; -1 ends them.
  std::array<int, 2> dims = {-1, -1};

  bool isAny() const { return shape == Shape::Any; }
  bool isBroadcast() const { return shape == Shape::Broadcast; }
  SmallVector<int, 4> fixedDims() const {
    return llvm::to_vector<4>(
        llvm::make_filter_range(dims, [](int dim) { return dim >= 0; }));
  }
  bool hasElement(Type type) const {
    return element == Element::F32 ? type.isF32() : type.isInteger(numBits());
  }
  bool hasRank(int64_t rank) const {
    if (isBroadcast())
      return rank <= 4;
    return rank == int64_t(fixedDims().size()) ||
           (shape == Shape::Sequences && rank == 0);
  }
  StringRef elementName() const {
    return element == Element::F32   ? "f32"
           : element == Element::I32 ? "i32"
                                     : "i64";
  }

private:
  unsigned numBits() const { return element == Element::I64 ? 64 : 32; }
};
} // namespace

/// Tensors that a score region reads.
constexpr StringRef kExtra = "extra";

using Shape = DataKind::Shape;
using Element = DataKind::Element;

constexpr DataKind kKinds[] = {
    {kKeyLengths, Shape::Fixed, Element::I32, {0, -1}},
    {kQueryLengths, Shape::Fixed, Element::I32, {0, -1}},
    {kKeyBegin, Shape::Fixed, Element::I32, {0, -1}},
    {kKeyPosition, Shape::Sequences, Element::I64, {0, -1}},
    {kQueryPosition, Shape::Sequences, Element::I64, {0, -1}},
    {kPageTable, Shape::Fixed, Element::I32, {0, 5}},
    {kDocuments, Shape::Fixed, Element::I32, {0, 3}},
    {kGlobalTokens, Shape::Fixed, Element::I32, {0, 4}},
    {kSinks, Shape::Fixed, Element::F32, {1, -1}},
    {kSlopes, Shape::Fixed, Element::F32, {1, -1}},
    {kBias, Shape::Broadcast, Element::F32},
    {kExtra, Shape::Any, Element::F32},
};

/// Data that masks read, and nothing else.
constexpr StringRef kOfMasks[] = {kDocuments, kGlobalTokens};

/// B, Hq, Sq and Sk, and sizes that are nothing else's.
constexpr StringRef kSizes[] = {"sequences", "query heads",
                                "queries",   "keys",
                                "tokens",    "pages of a sequence"};
constexpr int kNumShared = 4;

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
  if (kind->isBroadcast())
    return broadcastDims(type);
  if (type.getRank() == 0)
    return {};
  SmallVector<int, 4> dims = kind->fixedDims();
  for (int &dim : dims)
    if (dim >= kNumShared)
      dim = -1;
  return dims;
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
                 : MaskedReductionOpInterface(op).getKnownKeys();
}

static LogicalResult verifyKind(AttentionOp op, const DataKind &kind,
                                ShapedType type) {
  if (!kind.hasElement(type.getElementType()) ||
      !kind.hasRank(type.getRank())) {
    InFlightDiagnostic error = op.emitOpError()
                               << "data operand " << kind.name << " must be ";
    if (kind.shape == Shape::Sequences)
      error << "one number or ";
    if (kind.isBroadcast()) {
      error << "[sequences, query heads, queries, keys], any of which may be 1";
    } else {
      error << "[";
      llvm::interleaveComma(kind.fixedDims(), error,
                            [&](int dim) { error << kSizes[dim]; });
      error << "]";
    }
    return error << ", of " << kind.elementName() << ", got " << type;
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

/// Pages of 16 to 256 keys, of whole rows of products.
static LogicalResult verifyPages(AttentionOp op) {
  constexpr int64_t granule = 16, most = 256;
  if (!op.getDataOperand(kPageTable))
    return success();
  int64_t page = op.getKeyType().getDimSize(2);
  if (ShapedType::isDynamic(page))
    return op.emitOpError("has a page_table, and keys [pages, key heads, page, "
                          "head size] of pages of unknown size; write the size "
                          "in the type");
  if (page % granule != 0 || page < granule || page > most)
    return op.emitOpError("has pages of ")
           << page << " keys; they must be of a multiple of " << granule
           << ", up to " << most;
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

/// The data operands of masks that the op has, and its own mask does not read.
static SmallVector<StringRef> findUnread(AttentionOp op) {
  SmallVector<StringRef> read, unread;
  Attribute(op.getMask()).walk([&](MaskAttrInterface mask) {
    read.push_back(mask.getDataOperandName());
  });
  for (StringRef name : kOfMasks)
    if (op.getDataOperand(name) && !llvm::is_contained(read, name))
      unread.push_back(name);
  return unread;
}

/// Rejects a mask whose data the op has not, and data of masks that this one
/// does not read.
static LogicalResult verifyDataOfMask(AttentionOp op) {
  if (StringRef name = op.findMissingData(); !name.empty())
    return op.emitOpError()
           << "has a mask that reads the data operand " << name
           << ", which it has not; give it, in data(" << name << " = ...)";
  for (StringRef name : findUnread(op))
    return op.emitOpError() << "has the data operand " << name
                            << ", which its mask does not read; leave it out";
  return success();
}

void mlir::sparse_attn::eraseUnreadData(AttentionOp op) {
  for (StringRef name : findUnread(op)) {
    SmallVector<Attribute> names(op.getDataNamesAttr().getValue());
    auto *place = llvm::find(names, StringAttr::get(op.getContext(), name));
    op.getDataMutable().erase(place - names.begin());
    names.erase(place);
    op.setDataNamesAttr(names.empty() ? ArrayAttr()
                                      : ArrayAttr::get(op.getContext(), names));
  }
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
  return success(succeeded(verifyPages(op)) && succeeded(verifyDataOfMask(op)));
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
