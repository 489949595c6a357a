//===- EmulateAccesses.cpp - Checks of loads, stores and atomics ----------===//

#include "KernelRewriter.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::emulator;
using emulator::MemoryOrder;

static unsigned getAddressSpace(Value pointer) {
  return cast<LLVM::LLVMPointerType>(pointer.getType()).getAddressSpace();
}

/// Memory of the thread alone: its stack, addressed directly.
static bool isPrivate(Value pointer) {
  while (true) {
    if (getAddressSpace(pointer) ==
        static_cast<unsigned>(NVVM::NVVMMemorySpace::Local))
      return true;
    if (auto gep = pointer.getDefiningOp<LLVM::GEPOp>())
      pointer = gep.getBase();
    else
      return isa_and_nonnull<LLVM::AllocaOp>(pointer.getDefiningOp());
  }
}

static uint64_t getBytes(const DataLayout &layout, Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return llvm::divideCeil(
        vector.getNumElements() *
            layout.getTypeSizeInBits(vector.getElementType()).getFixedValue(),
        8);
  return layout.getTypeSize(type).getFixedValue();
}

//   %v = llvm.load %p : !llvm.ptr<3> -> vector<4xf32>
//
// becomes
//
//   llvm.call @sparse_attn_emu_access_shared(%p, 16, 16, kRead, operation)
//   %v = llvm.load %p : !llvm.ptr<3> -> vector<4xf32>
void KernelRewriter::check(OpBuilder &b, Operation *op, Value address,
                           Type accessed, std::optional<uint64_t> alignment,
                           uint32_t mode) {
  if (isPrivate(address))
    return;
  Location loc = op->getLoc();
  DataLayout layout = DataLayout::closest(op);
  uint64_t aligned =
      alignment ? *alignment : layout.getTypeABIAlignment(accessed);
  StringRef callee = "sparse_attn_emu_access_generic";
  if (getAddressSpace(address) ==
      static_cast<unsigned>(NVVM::NVVMMemorySpace::Global))
    callee = "sparse_attn_emu_access_global";
  if (getAddressSpace(address) ==
      static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared))
    callee = "sparse_attn_emu_access_shared";
  call(b, loc, callee, {},
       {address, i32(b, loc, getBytes(layout, accessed)), i32(b, loc, aligned),
        i32(b, loc, mode), nameOperation(b, op)});
}

static bool releases(LLVM::AtomicOrdering ordering) {
  return ordering == LLVM::AtomicOrdering::release ||
         ordering == LLVM::AtomicOrdering::acq_rel ||
         ordering == LLVM::AtomicOrdering::seq_cst;
}

static bool acquires(LLVM::AtomicOrdering ordering) {
  return ordering == LLVM::AtomicOrdering::acquire ||
         ordering == LLVM::AtomicOrdering::acq_rel ||
         ordering == LLVM::AtomicOrdering::seq_cst;
}

/// The order of an atomic access that is a load, a store or both.
static std::pair<MemoryOrder, MemoryOrder>
getOrders(LLVM::AtomicOrdering ordering, bool stores, bool loads) {
  auto order = [](bool isOne, bool isOrdered) {
    if (!isOne)
      return MemoryOrder::NoAccess;
    return isOrdered ? MemoryOrder::Ordered : MemoryOrder::Relaxed;
  };
  return {order(stores, releases(ordering)), order(loads, acquires(ordering))};
}

LogicalResult KernelRewriter::rewriteAccess(Operation *op) {
  OpBuilder b(op);
  auto orderAtomic = [&](Value address, LLVM::AtomicOrdering ordering,
                         bool stores, bool loads) {
    auto [store, load] = getOrders(ordering, stores, loads);
    call(b, op->getLoc(), "sparse_attn_emu_atomic_order", {},
         {address, i32Of(b, op->getLoc(), store), i32Of(b, op->getLoc(), load),
          nameOperation(b, op)});
  };
  using emulator::kAtomic, emulator::kRead, emulator::kWrite;
  bool isAtomic = false;
  if (auto load = dyn_cast<LLVM::LoadOp>(op)) {
    isAtomic = load.getOrdering() != LLVM::AtomicOrdering::not_atomic;
    check(b, op, load.getAddr(), load.getType(), load.getAlignment(),
          kRead | (isAtomic ? kAtomic : 0));
    if (isAtomic)
      orderAtomic(load.getAddr(), load.getOrdering(), false, true);
    load.removeSyncscopeAttr();
    // Others may write between two loads, whatever a GPU's caches say.
    load.setInvariant(false);
    return success();
  }
  if (auto store = dyn_cast<LLVM::StoreOp>(op)) {
    isAtomic = store.getOrdering() != LLVM::AtomicOrdering::not_atomic;
    check(b, op, store.getAddr(), store.getValue().getType(),
          store.getAlignment(), kWrite | (isAtomic ? kAtomic : 0));
    if (isAtomic)
      orderAtomic(store.getAddr(), store.getOrdering(), true, false);
    store.removeSyncscopeAttr();
    return success();
  }
  if (auto update = dyn_cast<LLVM::AtomicRMWOp>(op)) {
    check(b, op, update.getPtr(), update.getVal().getType(),
          update.getAlignment(), kRead | kWrite | kAtomic);
    orderAtomic(update.getPtr(), update.getOrdering(), true, true);
    update.removeSyncscopeAttr();
    return success();
  }
  if (auto exchange = dyn_cast<LLVM::AtomicCmpXchgOp>(op)) {
    check(b, op, exchange.getPtr(), exchange.getVal().getType(),
          exchange.getAlignment(), kRead | kWrite | kAtomic);
    orderAtomic(exchange.getPtr(), exchange.getSuccessOrdering(), true, true);
    exchange.removeSyncscopeAttr();
    return success();
  }
  if (isa<LLVM::FenceOp>(op)) {
    call(b, op->getLoc(), "sparse_attn_emu_fence", {}, nameOperation(b, op));
    op->erase();
    return success();
  }
  if (isa<LLVM::AllocaOp, LLVM::AssumeOp, LLVM::LifetimeStartOp,
          LLVM::LifetimeEndOp, LLVM::CallOp>(op) ||
      op->hasTrait<OpTrait::IsTerminator>() || isMemoryEffectFree(op))
    return success();
  return op->emitError("the emulator cannot check the memory that '")
         << op->getName() << "' accesses; use loads and stores";
}
