//===- LoopsToKernels.cpp - --sparse-attn-loops-to-kernels ----------------===//
//
//   scf.parallel (%h, %r) = (%c0, %c0) to (%heads, %tiles) step (%c1, %c1)
//
//   scf.forall (%x) in (%heads * %tiles)
//     func.call @f_0(%buffers..., %x)       %h = %x / %tiles, %r = %x % %tiles
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/CPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNLOOPSTOKERNELS
#include "SparseAttn/CPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;

/// What stays on the host: buffers, and what computes their sizes.
static bool isForHost(Operation *op) {
  return isMemoryEffectFree(op) ||
         isa<memref::AllocOp, memref::DeallocOp, func::ReturnOp>(op);
}

namespace {
/// One kernel: a parallel loop, or ops that run one after another.
class Kernel {
public:
  Kernel(func::FuncOp host, StringRef name, ArrayRef<Operation *> ops)
      : host(host), name(name), ops(ops),
        loop(ops.size() == 1 ? dyn_cast<scf::ParallelOp>(ops.front())
                             : scf::ParallelOp()) {}

  void outline() {
    for (Operation *op : ops)
      findCaptured(op);
    func::FuncOp kernel = createFunction();
    launch(kernel);
    for (Operation *op : llvm::reverse(ops))
      op->erase();
  }

private:
  /// Buffers are passed; what is computed of their sizes is computed again.
  void capture(Value value) {
    Operation *op = value.getDefiningOp();
    if (llvm::is_contained(ops, op) || !seen.insert(value).second)
      return;
    if (!op || !isMemoryEffectFree(op)) {
      passed.push_back(value);
      return;
    }
    findCaptured(op);
    if (!llvm::is_contained(cloned, op))
      cloned.push_back(op);
  }

  void findCaptured(Operation *root) {
    root->walk([&](Operation *op) {
      for (Value operand : op->getOperands())
        if (operand.getParentBlock() == &host.getBody().front())
          capture(operand);
    });
  }

  func::FuncOp createFunction() {
    SmallVector<Type> types(ValueRange(passed).getTypes());
    OpBuilder b(host);
    types.push_back(b.getIndexType());
    auto kernel = func::FuncOp::create(b, ops.front()->getLoc(), name,
                                       b.getFunctionType(types, {}));
    kernel.setPrivate();
    kernel->setAttr(sparse_attn::kLoopKernelAttr, b.getUnitAttr());
    Block *body = kernel.addEntryBlock();
    b.setInsertionPointToStart(body);
    IRMapping mapping;
    mapping.map(ValueRange(passed), body->getArguments().drop_back());
    SmallVector<Operation *> all = cloned;
    if (!loop)
      llvm::append_range(all, ops);
    llvm::sort(all, [](Operation *first, Operation *second) {
      return first->isBeforeInBlock(second);
    });
    for (Operation *op : all)
      b.clone(*op, mapping);
    if (loop) {
      mapInductionVariables(b, mapping, body->getArguments().back());
      for (Operation &op : loop.getBody()->without_terminator())
        b.clone(op, mapping);
    }
    func::ReturnOp::create(b, kernel.getLoc());
    putOnStack(kernel);
    return kernel;
  }

  /// A workgroup has no heap: what it allocates and frees again in a block is
  /// on its stack.
  static void putOnStack(func::FuncOp kernel) {
    kernel.walk([](memref::DeallocOp dealloc) {
      // Deallocation passes free the buffer that a descriptor has.
      Value freed = dealloc.getMemref();
      if (auto data = freed.getDefiningOp<memref::ExtractStridedMetadataOp>())
        freed = data.getSource();
      auto alloc = freed.getDefiningOp<memref::AllocOp>();
      if (!alloc || alloc->getBlock() != dealloc->getBlock() ||
          !alloc.getType().hasStaticShape())
        return;
      OpBuilder b(alloc);
      auto alloca = memref::AllocaOp::create(b, alloc.getLoc(), alloc.getType(),
                                             alloc.getAlignmentAttr());
      dealloc.erase();
      alloc.replaceAllUsesWith(alloca.getResult());
      alloc.erase();
    });
  }

  /// The sizes of the loop's dimensions.
  SmallVector<Value> countTrips(OpBuilder &b, ValueRange lower,
                                ValueRange upper, ValueRange steps) const {
    SmallVector<Value> trips;
    for (auto [low, high, step] : llvm::zip_equal(lower, upper, steps)) {
      Value length =
          b.createOrFold<arith::SubIOp>(ops.front()->getLoc(), high, low);
      trips.push_back(b.createOrFold<arith::CeilDivSIOp>(ops.front()->getLoc(),
                                                         length, step));
    }
    return trips;
  }

  void mapInductionVariables(OpBuilder &b, IRMapping &mapping, Value number) {
    Location loc = loop.getLoc();
    auto map = [&](ValueRange values) {
      return llvm::map_to_vector(
          values, [&](Value value) { return mapping.lookup(value); });
    };
    SmallVector<Value> lower = map(loop.getLowerBound());
    SmallVector<Value> steps = map(loop.getStep());
    SmallVector<Value> trips =
        countTrips(b, lower, map(loop.getUpperBound()), steps);
    for (size_t dim = trips.size(); dim-- > 0;) {
      Value place = number;
      if (dim > 0) {
        place = arith::RemSIOp::create(b, loc, number, trips[dim]);
        number = arith::DivSIOp::create(b, loc, number, trips[dim]);
      }
      place = b.createOrFold<arith::MulIOp>(loc, place, steps[dim]);
      place = b.createOrFold<arith::AddIOp>(loc, lower[dim], place);
      mapping.map(loop.getInductionVars()[dim], place);
    }
  }

  void launch(func::FuncOp kernel) {
    Location loc = kernel.getLoc();
    // Behind all buffers that it takes.
    OpBuilder b(ops.back());
    OpFoldResult count = b.getIndexAttr(1);
    if (loop) {
      Value product = arith::ConstantIndexOp::create(b, loc, 1);
      for (Value trips : countTrips(b, loop.getLowerBound(),
                                    loop.getUpperBound(), loop.getStep()))
        product = b.createOrFold<arith::MulIOp>(loc, product, trips);
      count = product;
    }
    auto forall = scf::ForallOp::create(b, loc, ArrayRef<OpFoldResult>{count},
                                        ValueRange(), std::nullopt);
    b.setInsertionPointToStart(forall.getBody());
    SmallVector<Value> operands(passed);
    operands.push_back(forall.getInductionVar(0));
    func::CallOp::create(b, loc, kernel, operands);
  }

  func::FuncOp host;
  std::string name;
  SmallVector<Operation *> ops;
  scf::ParallelOp loop;
  llvm::DenseSet<Value> seen;
  SmallVector<Operation *> cloned;
  SmallVector<Value> passed;
};

struct LoopsToKernelsPass
    : sparse_attn::impl::SparseAttnLoopsToKernelsBase<LoopsToKernelsPass> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto func : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (!func.isExternal() && func.getBody().hasOneBlock() &&
          !func->hasAttr(sparse_attn::kLoopKernelAttr))
        outline(func, symbols);
  }

  void outline(func::FuncOp func, SymbolTable &symbols) {
    allocateShared(func);
    unsigned number = 0;
    for (ArrayRef<Operation *> ops : findKernels(func)) {
      std::string name;
      do
        name = (func.getName() + "_" + Twine(number++)).str();
      while (symbols.lookup(name));
      Kernel(func, name, ops).outline();
    }
  }

  /// Kernels share no stack.
  static void allocateShared(func::FuncOp func) {
    for (auto alloca :
         llvm::to_vector(func.getBody().front().getOps<memref::AllocaOp>())) {
      OpBuilder b(alloca);
      auto alloc = memref::AllocOp::create(
          b, alloca.getLoc(), alloca.getType(), alloca.getDynamicSizes(),
          alloca.getSymbolOperands(), alloca.getAlignmentAttr());
      alloca.replaceAllUsesWith(alloc.getResult());
      alloca.erase();
    }
  }

  /// Whether something outside uses what the ops compute. Kernels give
  /// buffers only, so these stay on the host.
  static bool giveValues(ArrayRef<Operation *> ops) {
    return llvm::any_of(ops, [&](Operation *op) {
      return llvm::any_of(op->getUsers(), [&](Operation *user) {
        return !llvm::is_contained(
            ops, op->getBlock()->findAncestorOpInBlock(*user));
      });
    });
  }

  /// Each parallel loop, and the runs of other ops between them.
  SmallVector<SmallVector<Operation *>> findKernels(func::FuncOp func) {
    SmallVector<SmallVector<Operation *>> kernels;
    bool continues = false;
    for (Operation &op : func.getBody().front()) {
      if (isForHost(&op)) {
        continues &= !isa<memref::DeallocOp>(op);
        continue;
      }
      bool isLoop = isa<scf::ParallelOp>(op) && op.getNumResults() == 0;
      if (isLoop || !continues)
        kernels.emplace_back();
      kernels.back().push_back(&op);
      continues = !isLoop;
    }
    llvm::erase_if(kernels,
                   [](ArrayRef<Operation *> ops) { return giveValues(ops); });
    return kernels;
  }
};
} // namespace
