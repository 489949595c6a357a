//===- Interface.cpp - What a function takes and returns ------------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Package/Describe/Describe.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::plan;

/// The argument that `value` is, maybe with other knowledge of its sizes.
static BlockArgument traceArgument(Value value, func::FuncOp func) {
  while (auto cast = value.getDefiningOp<tensor::CastOp>())
    value = cast.getSource();
  auto argument = dyn_cast<BlockArgument>(value);
  if (argument && argument.getOwner() == &func.getBody().front())
    return argument;
  return {};
}

namespace {
/// A dimension of an argument.
using Dim = std::pair<unsigned, unsigned>;

/// Which dimensions of the arguments are the same size.
class SizeClasses {
public:
  explicit SizeClasses(func::FuncOp func) : func(func) {
    for (auto [index, type] : llvm::enumerate(func.getArgumentTypes()))
      for (auto [dim, size] :
           llvm::enumerate(cast<ShapedType>(type).getShape()))
        classes.insert(Dim(index, dim));
  }

  /// Ties dimension `dim` of all values together. Fails where two of them are
  /// static and differ.
  LogicalResult tie(Operation *op, ArrayRef<std::pair<Value, unsigned>> dims) {
    std::optional<Dim> first;
    std::optional<int64_t> known;
    auto learn = [&](int64_t size) -> LogicalResult {
      if (ShapedType::isDynamic(size) || known == size)
        return success();
      if (known)
        return op->emitOpError("ties sizes of arguments together that differ: ")
               << *known << " and " << size;
      known = size;
      return success();
    };
    for (auto [value, dim] : dims) {
      std::optional<Dim> place;
      // Every type on the way from the argument may know the size.
      for (Value v = value; v;) {
        if (failed(learn(cast<ShapedType>(v.getType()).getDimSize(dim))))
          return failure();
        std::tie(v, place) = step(v, dim);
      }
      if (!place)
        continue;
      if (std::optional<int64_t> size = constantOf(*place))
        if (failed(learn(*size)))
          return failure();
      if (first)
        classes.unionSets(*first, *place);
      else
        first = place;
    }
    if (first && known)
      constants[classes.getLeaderValue(*first)] = *known;
    return success();
  }

  Dim leader(Dim dim) const { return classes.getLeaderValue(dim); }

  /// The place in the arguments where a size of `value` can be read.
  std::optional<Dim> find(Value value, unsigned dim) const {
    std::optional<Dim> place;
    for (Value v = value; v;)
      std::tie(v, place) = step(v, dim);
    return place;
  }

  std::optional<int64_t> constantOf(Dim dim) const {
    Dim same = leader(dim);
    for (auto [place, size] : constants)
      if (leader(place) == same)
        return size;
    for (auto [place, type] : llvm::enumerate(func.getArgumentTypes()))
      for (auto [d, size] : llvm::enumerate(cast<ShapedType>(type).getShape()))
        if (!ShapedType::isDynamic(size) && leader(Dim(place, d)) == same)
          return size;
    return std::nullopt;
  }

private:
  /// One step from a value towards the arguments: the value whose dimension
  /// `dim` is the same, or the argument itself.
  std::pair<Value, std::optional<Dim>> step(Value value, unsigned dim) const {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      if (argument.getOwner() == &func.getBody().front())
        return {Value(), Dim(argument.getArgNumber(), dim)};
      return {};
    }
    if (auto cast = value.getDefiningOp<tensor::CastOp>())
      return {cast.getSource(), std::nullopt};
    // A branch gives what both of its sides give.
    if (auto branch = value.getDefiningOp<scf::IfOp>()) {
      unsigned number = cast<OpResult>(value).getResultNumber();
      Value one = branch.thenYield().getOperand(number);
      std::optional<Dim> other =
          find(branch.elseYield().getOperand(number), dim);
      if (other && find(one, dim) == other)
        return {one, std::nullopt};
      return {};
    }
    // Batch, heads and rows of results are those of the queries.
    if (auto op = value.getDefiningOp<MaskedReductionOpInterface>();
        op && dim < 3)
      return {op.getQuery(), std::nullopt};
    if (auto op = value.getDefiningOp<MergeOp>())
      return {op.getFirst(), std::nullopt};
    return {};
  }

  mutable func::FuncOp func;
  llvm::EquivalenceClasses<Dim> classes;
  llvm::MapVector<Dim, int64_t> constants;
};

class InterfaceBuilder {
public:
  explicit InterfaceBuilder(func::FuncOp func) : func(func), classes(func) {
    func.walk([&](MaskedReductionOpInterface op) { reductions.push_back(op); });
    func.walk([&](MergeOp op) { merges.push_back(op); });
  }

  FailureOr<Program> build() {
    program.name = func.getName().str();
    for (MaskedReductionOpInterface op : reductions)
      if (failed(tieSizes(op)))
        return failure();
    for (MergeOp op : merges)
      if (failed(tieSizes(op)))
        return failure();
    for (auto [index, op] : llvm::enumerate(reductions))
      nameSizes(op, index);
    nameOtherSizes();
    for (Type type : func.getArgumentTypes())
      program.arguments.push_back(makeBuffer(cast<RankedTensorType>(type)));
    for (auto [index, argument] : llvm::enumerate(program.arguments))
      for (auto [dim, size] : llvm::enumerate(argument.shape))
        size = sizeAt(Dim(index, dim));
    for (Value result : func.getBody().front().getTerminator()->getOperands()) {
      program.results.push_back(
          makeBuffer(cast<RankedTensorType>(result.getType())));
      for (auto [dim, size] : llvm::enumerate(program.results.back().shape))
        size = sizeOf(result, dim);
    }
    for (MaskedReductionOpInterface op : reductions) {
      addRoles(op);
      addGroupCondition(op);
      addPageConditions(op);
      addAttention(op);
    }
    for (MergeOp op : merges) {
      addRole(op.getOutput(), "output");
      addRole(op.getLse(), "lse");
    }
    return std::move(program);
  }

private:
  LogicalResult tieSizes(MaskedReductionOpInterface op) {
    SmallVector<std::pair<Value, unsigned>> batch, heads, keyHeads, rows, keys,
        pages;
    for (const NamedTensor &tensor : op.getNamedTensors()) {
      if (tensor.isData) {
        SmallVector<std::pair<Value, unsigned>> *sizes[] = {&batch, &heads,
                                                            &rows, &keys};
        for (auto [dim, size] : llvm::enumerate(tensor.dims))
          // A tile has the data of the attention that it is a tile of.
          if (size >= 0 && op.getOrigin().empty())
            sizes[size]->push_back({tensor.value, dim});
        continue;
      }
      if (tensor.isPool) {
        pages.push_back({tensor.value, 0});
        keyHeads.push_back({tensor.value, 1});
        continue;
      }
      batch.push_back({tensor.value, 0});
      (tensor.hasKeysShape ? keyHeads : heads).push_back({tensor.value, 1});
      (tensor.hasKeysShape ? keys : rows).push_back({tensor.value, 2});
    }
    for (const auto &dims : {batch, heads, keyHeads, rows, keys, pages})
      if (failed(classes.tie(op, dims)))
        return failure();
    return success();
  }

  /// All operands and results have the sizes of the output.
  LogicalResult tieSizes(MergeOp op) {
    for (unsigned dim = 0; dim < 4; ++dim) {
      SmallVector<std::pair<Value, unsigned>> dims;
      for (Value value :
           llvm::concat<Value>(op->getOperands(), op->getResults()))
        if (dim < cast<ShapedType>(value.getType()).getRank())
          dims.push_back({value, dim});
      if (failed(classes.tie(op, dims)))
        return failure();
    }
    return success();
  }

  /// The sizes of the first reduction are B, Hq, Hkv, Sq, Sk; those of later
  /// ones, where they are others, B_1, ...
  void nameSizes(MaskedReductionOpInterface op, size_t index) {
    std::string suffix = index == 0 ? "" : "_" + std::to_string(index);
    Value q = op.getQuery(), k = op.getKey();
    nameSize(classes.find(q, 0), "B" + suffix);
    nameSize(classes.find(k, 0), (op.getPageSize() ? "pages" : "B") + suffix);
    nameSize(classes.find(q, 1), "Hq" + suffix);
    nameSize(classes.find(k, 1), "Hkv" + suffix);
    nameSize(classes.find(q, 2), "Sq" + suffix);
    if (!op.getPageSize())
      nameSize(classes.find(k, 2), "Sk" + suffix);
    // Only data that has an element for each key tells how many keys pages
    // have.
    for (const NamedTensor &tensor : op.getNamedTensors())
      for (auto [dim, size] : llvm::enumerate(tensor.dims))
        if (op.getPageSize() && size == 3)
          nameSize(classes.find(tensor.value, dim), "Sk" + suffix);
  }

  void nameSize(std::optional<Dim> dim, const std::string &name) {
    if (!dim || classes.constantOf(*dim))
      return;
    names.insert({classes.leader(*dim), name});
  }

  void nameOtherSizes() {
    llvm::MapVector<Dim, SizeSpec> sizes;
    for (auto [index, type] : llvm::enumerate(func.getArgumentTypes()))
      for (unsigned dim = 0; dim < cast<ShapedType>(type).getRank(); ++dim) {
        Dim place(index, dim);
        if (classes.constantOf(place))
          continue;
        nameSize(place, ("arg" + Twine(index) + "_dim" + Twine(dim)).str());
        SizeSpec &size = sizes[classes.leader(place)];
        size.name = names.lookup(classes.leader(place));
        size.sources.push_back({static_cast<unsigned>(index), dim});
      }
    for (auto &[place, size] : sizes)
      program.sizes.push_back(size);
  }

  SizeExpr sizeAt(Dim dim) const {
    if (std::optional<int64_t> constant = classes.constantOf(dim))
      return SizeExpr::constant(*constant);
    return SizeExpr::size(names.lookup(classes.leader(dim)));
  }

  SizeExpr sizeOf(Value value, unsigned dim) const {
    if (std::optional<Dim> place = classes.find(value, dim))
      return sizeAt(*place);
    return SizeExpr::constant(
        cast<ShapedType>(value.getType()).getDimSize(dim));
  }

  static BufferSpec makeBuffer(RankedTensorType type) {
    BufferSpec buffer;
    llvm::raw_string_ostream(buffer.elementType) << type.getElementType();
    buffer.elementBits = type.getElementTypeBitWidth();
    for (int64_t size : type.getShape())
      buffer.shape.push_back(SizeExpr::constant(size));
    return buffer;
  }

  void addRole(Value value, StringRef role) {
    auto add = [&](BufferSpec &buffer) {
      if (!llvm::is_contained(buffer.roles, role))
        buffer.roles.push_back(role.str());
    };
    if (BlockArgument argument = traceArgument(value, func))
      add(program.arguments[argument.getArgNumber()]);
    Operation *terminator = func.getBody().front().getTerminator();
    for (auto [index, operand] : llvm::enumerate(terminator->getOperands())) {
      while (auto cast = operand.getDefiningOp<tensor::CastOp>())
        operand = cast.getSource();
      if (operand == value && isa<OpResult>(value))
        add(program.results[index]);
    }
  }

  void addRoles(MaskedReductionOpInterface op) {
    for (const NamedTensor &tensor : op.getNamedTensors())
      addRole(tensor.value, tensor.role);
  }

  void addGroupCondition(MaskedReductionOpInterface op) {
    SizeExpr query = sizeOf(op.getQuery(), 1), key = sizeOf(op.getKey(), 1);
    SizeExpr formula =
        SizeExpr::equal(SizeExpr::floorDiv(query, key) * key, query);
    if (formula.asConstant() || query == key)
      return;
    program.conditions.push_back(
        {formula, "the number of query heads, " + query.str() +
                      ", must be a multiple of that of key heads, " +
                      key.str()});
  }

  /// Data of all keys of a sequence is of as many as its pages have.
  void addPageConditions(MaskedReductionOpInterface op) {
    std::optional<int64_t> page = op.getPageSize();
    if (!page || !op.getOrigin().empty())
      return;
    SizeExpr keys =
        sizeOf(op.getDataOperand(kPageTable), 1) * SizeExpr::constant(*page);
    for (const NamedTensor &tensor : op.getNamedTensors())
      for (auto [dim, size] : llvm::enumerate(tensor.dims)) {
        if (size != 3)
          continue;
        SizeExpr have = sizeOf(tensor.value, dim);
        SizeExpr formula = SizeExpr::equal(have, keys);
        if (!formula.asConstant())
          program.conditions.push_back(
              {formula, "the keys that " + tensor.role.str() + " is of, " +
                            have.str() + ", must be those of all pages, " +
                            keys.str()});
      }
  }

  void addAttention(MaskedReductionOpInterface op) {
    AttentionSpec spec;
    llvm::raw_string_ostream(spec.mask) << op.getMask();
    llvm::raw_string_ostream(spec.elementType)
        << op.getQueryType().getElementType();
    for (auto [name, value] : op.getParameters())
      spec.parameters.push_back({name.str(), value});
    TileNeeds needs = op.getTileNeeds();
    spec.headSize = needs.headDim;
    spec.valueHeadSize = needs.valueDim;
    spec.hasLse = llvm::any_of(op.getNamedTensors(), [](const auto &tensor) {
      return tensor.role == "lse";
    });
    if (std::optional<PlanAttr> attribute = op.getPlan()) {
      Plan plan = attribute->getPlan();
      spec.tileQueries = plan.tile.queries;
      spec.tileKeys = plan.tile.keys;
      llvm::raw_string_ostream os(spec.plan);
      printPlan(plan, os);
    }
    program.attentions.push_back(std::move(spec));
  }

  mutable func::FuncOp func;
  SizeClasses classes;
  SmallVector<MaskedReductionOpInterface> reductions;
  SmallVector<MergeOp> merges;
  /// The size of each class is named at the class's leader.
  llvm::MapVector<Dim, std::string> names;
  Program program;
};
} // namespace

FailureOr<Program> package::describeInterface(func::FuncOp func) {
  for (Type type :
       llvm::concat<const Type>(func.getArgumentTypes(), func.getResultTypes()))
    if (!isa<RankedTensorType>(type) ||
        !cast<RankedTensorType>(type).getElementType().isIntOrFloat())
      return func.emitOpError("passes a value of type ")
             << type
             << "; a package passes ranked tensors of integers or floats";
  if (!func.getBody().hasOneBlock())
    return func.emitOpError("has control flow; a package needs the launches in "
                            "a row, in one block");
  return InterfaceBuilder(func).build();
}
