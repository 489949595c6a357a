//===- Branches.cpp - Ways through a function -----------------------------===//
//
// A function that chooses attention by sizes is, for each way through its
// branches, a function without them. Ways are found depth first, `then` before
// `else`. A way asks for the conditions only that it goes the `then` way of:
// all ways that go it where this one goes `else` are asked about before.
//
//===----------------------------------------------------------------------===//

#include "HostScalars.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Package/Describe/Describe.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

/// No function has more, each of which is compiled.
static constexpr size_t kMaxWays = 16;

/// The first branch of the function's own block with attention in it.
static scf::IfOp findBranch(func::FuncOp func) {
  for (auto branch : func.getBody().front().getOps<scf::IfOp>())
    if (branch
            ->walk([](MaskedReductionOpInterface) {
              return WalkResult::interrupt();
            })
            .wasInterrupted())
      return branch;
  return {};
}

/// Puts what one side of a branch does in its place.
static void resolve(scf::IfOp branch, bool taken) {
  IRRewriter rewriter(branch);
  Region &region = taken ? branch.getThenRegion() : branch.getElseRegion();
  if (region.empty()) {
    rewriter.eraseOp(branch);
    return;
  }
  Block &block = region.front();
  Operation *yield = block.getTerminator();
  SmallVector<Value> results(yield->getOperands());
  rewriter.eraseOp(yield);
  rewriter.inlineBlockBefore(&block, branch);
  rewriter.replaceOp(branch, results);
}

static func::FuncOp copyBefore(func::FuncOp func, const Twine &name) {
  OpBuilder b(func);
  auto copy = cast<func::FuncOp>(b.clone(*func));
  copy.setName(name.str());
  return copy;
}

/// The interface of a function as it is where no condition holds.
static FailureOr<Program> describePlainWay(func::FuncOp func) {
  func::FuncOp plain = copyBefore(func, func.getName());
  while (scf::IfOp branch = findBranch(plain))
    resolve(branch, /*taken=*/false);
  FailureOr<Program> interface = describeInterface(plain);
  plain.erase();
  return interface;
}

namespace {
class Splitter {
public:
  Splitter(func::FuncOp func, const Program &interface)
      : name(func.getName().str()), interface(interface) {}

  /// Adds the ways from here on. `decided` are the conditions so far.
  LogicalResult split(func::FuncOp func,
                      SmallVector<std::pair<SizeExpr, bool>> decided,
                      const SizeExpr &when) {
    while (scf::IfOp branch = findBranch(func)) {
      HostScalars scalars = readScalars(func, branch);
      bool isOptional = branch->hasAttr(kOptionalAttr);
      if (isOptional && !scalars.find(branch.getCondition())) {
        // What it depends on is reported where a launch needs it.
        resolve(branch, /*taken=*/false);
        continue;
      }
      FailureOr<SizeExpr> condition =
          scalars.get(branch.getCondition(), "which kernels are launched");
      if (failed(condition))
        return failure();
      if (std::optional<bool> known = lookUp(decided, *condition)) {
        resolve(branch, *known);
        continue;
      }
      if (numCopies + 1 == kMaxWays && isOptional) {
        branch.emitRemark("is for all sizes alone here: there would be more "
                          "than ")
            << kMaxWays
            << " ways to launch the function; give some of its attention a "
               "function of its own";
        resolve(branch, /*taken=*/false);
        continue;
      }
      if (++numCopies == kMaxWays)
        return branch.emitOpError("is one of too many that choose attention: a "
                                  "package launches a function in at most ")
               << kMaxWays << " ways; give some of it a function of its own";
      func::FuncOp copy =
          copyBefore(func, name + "_variant" + Twine(numCopies - 1));
      resolve(findBranch(copy), /*taken=*/true);
      SmallVector<std::pair<SizeExpr, bool>> taken = decided;
      taken.push_back({*condition, true});
      if (failed(split(copy, std::move(taken), when * *condition)))
        return failure();
      resolve(branch, /*taken=*/false);
      decided.push_back({*condition, false});
    }
    ways.push_back({when, func});
    return success();
  }

  SmallVector<FunctionVariant> ways;

private:
  static std::optional<bool> lookUp(ArrayRef<std::pair<SizeExpr, bool>> decided,
                                    const SizeExpr &condition) {
    if (std::optional<int64_t> constant = condition.asConstant())
      return *constant != 0;
    for (const auto &[known, taken] : decided)
      if (known == condition)
        return taken;
    return std::nullopt;
  }

  /// What is computed before a branch, as formulas over sizes of arguments.
  HostScalars readScalars(func::FuncOp func, scf::IfOp branch) const {
    HostScalars scalars;
    for (Operation &op : func.getBody().front()) {
      if (&op == branch)
        break;
      if (auto dim = dyn_cast<tensor::DimOp>(op))
        readDim(dim, scalars);
      else
        scalars.visit(&op);
    }
    return scalars;
  }

  /// What `value` has its size in dimension `dim` from: batch, heads and rows
  /// of results are those of the queries.
  static Value trace(Value value, int64_t dim) {
    while (true) {
      if (auto cast = value.getDefiningOp<tensor::CastOp>())
        value = cast.getSource();
      else if (auto op = value.getDefiningOp<MaskedReductionOpInterface>();
               op && dim < 3)
        value = op.getQuery();
      else
        return value;
    }
  }

  void readDim(tensor::DimOp op, HostScalars &scalars) const {
    std::optional<int64_t> dim = op.getConstantIndex();
    if (!dim)
      return;
    auto argument =
        dyn_cast_or_null<BlockArgument>(trace(op.getSource(), *dim));
    if (!argument)
      return;
    const BufferSpec &tensor = interface.arguments[argument.getArgNumber()];
    if (*dim < static_cast<int64_t>(tensor.shape.size()))
      scalars.set(op.getResult(), tensor.shape[*dim]);
  }

  std::string name;
  const Program &interface;
  size_t numCopies = 0;
};
} // namespace

FailureOr<SmallVector<FunctionVariant>>
package::splitBranches(func::FuncOp func) {
  if (!func.getBody().hasOneBlock() || !findBranch(func))
    return SmallVector<FunctionVariant>{{SizeExpr::constant(1), func}};
  FailureOr<Program> interface = describePlainWay(func);
  if (failed(interface))
    return failure();
  Splitter splitter(func, *interface);
  if (failed(splitter.split(func, {}, SizeExpr::constant(1))))
    return failure();
  return std::move(splitter.ways);
}
