//===- EmulatePTX.cpp - Inline PTX and NVVM intrinsics to calls -----------===//

#include "KernelRewriter.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::emulator;

namespace {
/// An instruction of one result that the runtime computes.
struct Instruction {
  StringRef name;
  StringRef callee;
  unsigned numOperands;
  bool returnsBits; ///< an i32 that the result's type reinterprets
};
} // namespace

static constexpr Instruction kPtx[] = {
    {"ex2.approx.f32", "sparse_attn_emu_ex2", 1, false},
    {"ex2.approx.ftz.f32", "sparse_attn_emu_ex2_ftz", 1, false},
    {"lg2.approx.ftz.f32", "sparse_attn_emu_lg2_ftz", 1, false},
    {"rcp.approx.ftz.f32", "sparse_attn_emu_rcp_ftz", 1, false},
    {"cvt.rn.f16x2.f32", "sparse_attn_emu_pack_f16", 2, true},
    {"cvt.rn.bf16x2.f32", "sparse_attn_emu_pack_bf16", 2, true},
    {"cvt.rz.bf16x2.f32", "sparse_attn_emu_pack_bf16_rz", 2, true},
    {"cvt.rna.tf32.f32", "sparse_attn_emu_to_tf32", 1, true},
};

static constexpr Instruction kIntrinsics[] = {
    {"llvm.nvvm.ex2.approx.f32", "sparse_attn_emu_ex2", 1, false},
    {"llvm.nvvm.ex2.approx.ftz.f32", "sparse_attn_emu_ex2_ftz", 1, false},
    {"llvm.nvvm.ex2.approx.f", "sparse_attn_emu_ex2", 1, false},
    {"llvm.nvvm.ex2.approx.ftz.f", "sparse_attn_emu_ex2_ftz", 1, false},
    {"llvm.nvvm.lg2.approx.ftz.f", "sparse_attn_emu_lg2_ftz", 1, false},
    {"llvm.nvvm.rcp.approx.ftz.f", "sparse_attn_emu_rcp_ftz", 1, false},
    {"llvm.nvvm.ff2f16x2.rn", "sparse_attn_emu_pack_f16", 2, true},
    {"llvm.nvvm.ff2bf16x2.rn", "sparse_attn_emu_pack_bf16", 2, true},
    {"llvm.nvvm.ff2bf16x2.rz", "sparse_attn_emu_pack_bf16_rz", 2, true},
    {"llvm.nvvm.f2tf32.rna", "sparse_attn_emu_to_tf32", 1, true},
};

static const Instruction *lookUp(ArrayRef<Instruction> table, StringRef name) {
  const auto *found = llvm::find_if(
      table, [&](const Instruction &known) { return known.name == name; });
  return found == table.end() ? nullptr : found;
}

static std::string join(ArrayRef<Instruction> table) {
  return llvm::join(
      llvm::map_range(
          table, [](const Instruction &known) { return known.name.str(); }),
      ", ");
}

/// "ex2.approx.f32 $0, $1;" is "ex2.approx.f32" with its operands in order.
static StringRef getMnemonic(StringRef ptx, unsigned numOperands) {
  StringRef code = ptx.trim();
  code.consume_back(";");
  auto [mnemonic, operands] = code.split(' ');
  SmallVector<StringRef> parts;
  operands.split(parts, ',');
  if (parts.size() != numOperands + 1)
    return "";
  for (auto [index, part] : llvm::enumerate(parts))
    if (part.trim() != ("$" + Twine(index)).str() &&
        part.trim() != ("%" + Twine(index)).str())
      return "";
  return mnemonic;
}

static LogicalResult replace(KernelRewriter &kernel, Operation *op,
                             const Instruction &instruction,
                             ValueRange operands) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  Type type = op->getResult(0).getType();
  Type returned = instruction.returnsBits ? b.getI32Type() : type;
  Value result =
      kernel.call(b, loc, instruction.callee, returned, operands).getResult();
  if (returned != type)
    result = KernelRewriter::fromRegister(b, loc, result, type);
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
  return success();
}

static bool fits(Operation *op, const Instruction &instruction,
                 OperandRange operands) {
  return op->getNumResults() == 1 &&
         operands.size() == instruction.numOperands &&
         llvm::all_of(operands.getTypes(), [](Type t) { return t.isF32(); });
}

/// `barrier.red` of some threads of a block, which the NVVM dialect has for all
/// of them only.
static std::optional<BarrierReduction> getReduction(StringRef intrinsic) {
  return llvm::StringSwitch<std::optional<BarrierReduction>>(intrinsic)
      .Case("llvm.nvvm.barrier.cta.red.and.aligned.count",
            BarrierReduction::And)
      .Case("llvm.nvvm.barrier.cta.red.or.aligned.count", BarrierReduction::Or)
      .Case("llvm.nvvm.barrier.cta.red.popc.aligned.count",
            BarrierReduction::Count)
      .Default(std::nullopt);
}

/// Operands are the barrier's number, that of threads, and the predicate.
static LogicalResult rewriteBarrier(KernelRewriter &kernel,
                                    LLVM::CallIntrinsicOp op,
                                    BarrierReduction kind) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Type type = op.getResult(0).getType();
  OperandRange args = op.getArgs();
  Value vote = LLVM::ZExtOp::create(b, loc, b.getI32Type(), args[2]);
  Value result =
      kernel
          .call(b, loc, "sparse_attn_emu_barrier_reduce", b.getI32Type(),
                {KernelRewriter::i32Of(b, loc, kind), args[0], args[1], vote,
                 kernel.nameOperation(b, op)})
          .getResult();
  if (type.isInteger(1))
    result = LLVM::TruncOp::create(b, loc, type, result);
  op.getResult(0).replaceAllUsesWith(result);
  op.erase();
  return success();
}

LogicalResult KernelRewriter::rewritePTX(Operation *op) {
  if (auto inlined = dyn_cast<NVVM::InlinePtxOp>(op)) {
    OperandRange operands = inlined.getReadOnlyArgs();
    const Instruction *known =
        lookUp(kPtx, getMnemonic(inlined.getPtxCode(), operands.size()));
    if (known && fits(op, *known, operands) && !inlined.getPredicate() &&
        inlined.getReadWriteArgs().empty())
      return replace(*this, op, *known, operands);
    return op->emitError("the emulator does not know the PTX \"")
           << inlined.getPtxCode() << "\"; it knows, as in \"" << kPtx[0].name
           << " $0, $1;\" and without predicates, " << join(kPtx);
  }
  auto called = cast<LLVM::CallIntrinsicOp>(op);
  StringRef name = called.getIntrin();
  OpBuilder b(op);
  if (name == "llvm.nvvm.cp.async.wait.all") {
    call(b, op->getLoc(), "sparse_attn_emu_cp_async_wait", {},
         i32(b, op->getLoc(), -1));
    op->erase();
    return success();
  }
  if (std::optional<BarrierReduction> kind = getReduction(name))
    return rewriteBarrier(*this, called, *kind);
  const Instruction *known = lookUp(kIntrinsics, name);
  if (known && fits(op, *known, called.getArgs()))
    return replace(*this, op, *known, called.getArgs());
  return op->emitError("the emulator does not know the intrinsic '")
         << name
         << "'; it knows llvm.nvvm.cp.async.wait.all, "
            "llvm.nvvm.barrier.cta.red.{and,or,popc}.aligned.count, "
         << join(kIntrinsics);
}
