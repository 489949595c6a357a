//===- EmulateNVVM.cpp - NVVM ops to calls --------------------------------===//

#include "KernelRewriter.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::emulator;
using emulator::BarrierReduction;
using emulator::MmaKind;
using emulator::ReduceKind;
using emulator::ShuffleKind;
using emulator::SpecialRegister;
using emulator::VoteKind;

static std::optional<SpecialRegister> getSpecialRegister(Operation *op) {
  using Register = SpecialRegister;
  return llvm::TypeSwitch<Operation *, std::optional<Register>>(op)
      .Case([](NVVM::ThreadIdXOp) { return Register::TidX; })
      .Case([](NVVM::ThreadIdYOp) { return Register::TidY; })
      .Case([](NVVM::ThreadIdZOp) { return Register::TidZ; })
      .Case([](NVVM::BlockDimXOp) { return Register::NtidX; })
      .Case([](NVVM::BlockDimYOp) { return Register::NtidY; })
      .Case([](NVVM::BlockDimZOp) { return Register::NtidZ; })
      .Case([](NVVM::BlockIdXOp) { return Register::CtaidX; })
      .Case([](NVVM::BlockIdYOp) { return Register::CtaidY; })
      .Case([](NVVM::BlockIdZOp) { return Register::CtaidZ; })
      .Case([](NVVM::GridDimXOp) { return Register::NctaidX; })
      .Case([](NVVM::GridDimYOp) { return Register::NctaidY; })
      .Case([](NVVM::GridDimZOp) { return Register::NctaidZ; })
      .Case([](NVVM::LaneIdOp) { return Register::LaneId; })
      .Case([](NVVM::WarpIdOp) { return Register::WarpId; })
      .Case([](NVVM::WarpDimOp) { return Register::NumWarps; })
      .Case([](NVVM::LaneMaskEqOp) { return Register::LaneMaskEq; })
      .Case([](NVVM::LaneMaskLtOp) { return Register::LaneMaskLt; })
      .Case([](NVVM::LaneMaskLeOp) { return Register::LaneMaskLe; })
      .Case([](NVVM::LaneMaskGtOp) { return Register::LaneMaskGt; })
      .Case([](NVVM::LaneMaskGeOp) { return Register::LaneMaskGe; })
      .Case([](NVVM::DynamicSmemSize) { return Register::DynamicSharedBytes; })
      .Default([](Operation *) { return std::nullopt; });
}

static LogicalResult emitUnsupported(Operation *op, const Twine &what) {
  return op->emitError("the emulator does not know '")
         << op->getName() << "' " << what;
}

namespace {
/// Rewrites one op; `op` is erased where that succeeds.
struct NVVMRewriter {
  KernelRewriter &kernel;
  Operation *op;
  OpBuilder b;
  Location loc;

  NVVMRewriter(KernelRewriter &kernel, Operation *op)
      : kernel(kernel), op(op), b(op), loc(op->getLoc()) {}

  Value i32(int64_t value) { return KernelRewriter::i32(b, loc, value); }
  template <typename Enum> Value i32Of(Enum value) {
    return KernelRewriter::i32Of(b, loc, value);
  }
  Value text() { return kernel.nameOperation(b, op); }
  Value orDefault(Value value, int64_t otherwise) {
    return value ? value : i32(otherwise);
  }

  LogicalResult replace(ValueRange values) {
    op->replaceAllUsesWith(values);
    op->erase();
    return success();
  }
  /// Calls the runtime for an op with a result of this type, or none.
  Value call(StringRef callee, Type type, ValueRange arguments) {
    LLVM::CallOp result = kernel.call(b, loc, callee, type, arguments);
    return type ? result.getResult() : Value();
  }
  LogicalResult replaceByCall(StringRef callee, ValueRange arguments) {
    if (op->getNumResults() == 0) {
      call(callee, {}, arguments);
      op->erase();
      return success();
    }
    return replace(call(callee, op->getResult(0).getType(), arguments));
  }

  LogicalResult rewrite(NVVM::BarrierOp barrier);
  LogicalResult rewrite(NVVM::ShflOp shuffle);
  LogicalResult rewrite(NVVM::VoteSyncOp vote);
  LogicalResult rewrite(NVVM::ReduxOp reduction);
  LogicalResult rewrite(NVVM::ElectSyncOp elect);
  LogicalResult rewrite(NVVM::LdMatrixOp load);
  LogicalResult rewrite(NVVM::StMatrixOp store);
  LogicalResult rewrite(NVVM::MmaOp mma);
  LogicalResult rewrite(NVVM::CpAsyncOp copy);
  LogicalResult rewrite(NVVM::ConvertFloatToTF32Op convert);
  template <typename Op>
  LogicalResult rewriteConversion(Op convert, StringRef callee);
  LogicalResult rewrite(NVVM::PermuteOp permute);
};
} // namespace

//===----------------------------------------------------------------------===//
// Synchronisation and exchange
//===----------------------------------------------------------------------===//

static BarrierReduction getKind(NVVM::BarrierReduction kind) {
  switch (kind) {
  case NVVM::BarrierReduction::POPC:
    return BarrierReduction::Count;
  case NVVM::BarrierReduction::AND:
    return BarrierReduction::And;
  case NVVM::BarrierReduction::OR:
    return BarrierReduction::Or;
  }
  llvm_unreachable("unknown reduction of a barrier");
}

LogicalResult NVVMRewriter::rewrite(NVVM::BarrierOp barrier) {
  Value id = orDefault(barrier.getBarrierId(), 0);
  Value threads = orDefault(barrier.getNumberOfThreads(), 0);
  if (std::optional<NVVM::BarrierReduction> kind = barrier.getReductionOp())
    return replaceByCall("sparse_attn_emu_barrier_reduce",
                         {i32Of(getKind(*kind)), id, threads,
                          barrier.getReductionPredicate(), text()});
  return replaceByCall("sparse_attn_emu_barrier", {id, threads, text()});
}

static ShuffleKind getKind(NVVM::ShflKind kind) {
  switch (kind) {
  case NVVM::ShflKind::bfly:
    return ShuffleKind::Butterfly;
  case NVVM::ShflKind::up:
    return ShuffleKind::Up;
  case NVVM::ShflKind::down:
    return ShuffleKind::Down;
  case NVVM::ShflKind::idx:
    return ShuffleKind::Index;
  }
  llvm_unreachable("unknown kind of shuffle");
}

//   %v = nvvm.shfl.sync bfly %mask, %x, %offset, %clamp : f32 -> f32
//
// becomes
//
//   %both = llvm.call @sparse_attn_emu_shuffle(...) : i64
//   %v = bitcast (trunc %both to i32) to f32
LogicalResult NVVMRewriter::rewrite(NVVM::ShflOp shuffle) {
  Value both = call("sparse_attn_emu_shuffle", b.getI64Type(),
                    {i32Of(getKind(shuffle.getKind())), shuffle.getThreadMask(),
                     KernelRewriter::toRegister(b, loc, shuffle.getVal()),
                     shuffle.getOffset(), shuffle.getMaskAndClamp(), text()});
  Value bits = LLVM::TruncOp::create(b, loc, b.getI32Type(), both);
  Value value =
      KernelRewriter::fromRegister(b, loc, bits, shuffle.getVal().getType());
  if (!shuffle.getReturnValueAndIsValid())
    return replace(value);
  Value upper =
      LLVM::LShrOp::create(b, loc, both, KernelRewriter::i64(b, loc, 32));
  Value isValid = LLVM::TruncOp::create(b, loc, b.getI1Type(), upper);
  Value pair = LLVM::UndefOp::create(b, loc, shuffle.getType());
  pair = LLVM::InsertValueOp::create(b, loc, pair, value, ArrayRef<int64_t>{0});
  return replace(
      LLVM::InsertValueOp::create(b, loc, pair, isValid, ArrayRef<int64_t>{1})
          .getResult());
}

LogicalResult NVVMRewriter::rewrite(NVVM::VoteSyncOp vote) {
  VoteKind kind = VoteKind::Ballot;
  switch (vote.getKind()) {
  case NVVM::VoteSyncKind::any:
    kind = VoteKind::Any;
    break;
  case NVVM::VoteSyncKind::all:
    kind = VoteKind::All;
    break;
  case NVVM::VoteSyncKind::uni:
    kind = VoteKind::Uniform;
    break;
  case NVVM::VoteSyncKind::ballot:
    break;
  }
  Value predicate =
      LLVM::ZExtOp::create(b, loc, b.getI32Type(), vote.getPred());
  Value result = call("sparse_attn_emu_vote", b.getI32Type(),
                      {i32Of(kind), vote.getMask(), predicate, text()});
  if (vote.getType().isInteger(1))
    result = LLVM::TruncOp::create(b, loc, vote.getType(), result);
  return replace(result);
}

static std::optional<ReduceKind> getKind(NVVM::ReduxKind kind) {
  switch (kind) {
  case NVVM::ReduxKind::ADD:
    return ReduceKind::Add;
  case NVVM::ReduxKind::AND:
    return ReduceKind::And;
  case NVVM::ReduxKind::OR:
    return ReduceKind::Or;
  case NVVM::ReduxKind::XOR:
    return ReduceKind::Xor;
  case NVVM::ReduxKind::MAX:
    return ReduceKind::Max;
  case NVVM::ReduxKind::MIN:
    return ReduceKind::Min;
  case NVVM::ReduxKind::UMAX:
    return ReduceKind::UMax;
  case NVVM::ReduxKind::UMIN:
    return ReduceKind::UMin;
  default:
    return std::nullopt;
  }
}

LogicalResult NVVMRewriter::rewrite(NVVM::ReduxOp reduction) {
  std::optional<ReduceKind> kind = getKind(reduction.getKind());
  if (!kind || !reduction.getType().isInteger(32))
    return emitUnsupported(op, "of f32");
  return replaceByCall(
      "sparse_attn_emu_reduce",
      {i32Of(*kind), reduction.getMaskAndClamp(), reduction.getVal(), text()});
}

LogicalResult NVVMRewriter::rewrite(NVVM::ElectSyncOp elect) {
  Value elected = call("sparse_attn_emu_elect", b.getI32Type(),
                       {orDefault(elect.getMembermask(), -1), text()});
  return replace(
      LLVM::TruncOp::create(b, loc, b.getI1Type(), elected).getResult());
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

template <typename Op> static LogicalResult checkMatrix(Op op) {
  if (op.getShape().getM() != 8 || op.getShape().getN() != 8 ||
      op.getEltType() != NVVM::LdStMatrixEltType::B16)
    return emitUnsupported(op, "of other than 8x8 matrices of b16");
  return success();
}

/// Reads registers `first`, `first + 1`, ... of the exchange as the result of
/// an op: one value or a struct of values.
static Value loadResults(OpBuilder &b, Location loc, Value exchange,
                         unsigned first, Type type) {
  auto fields = dyn_cast<LLVM::LLVMStructType>(type);
  if (!fields)
    return KernelRewriter::loadRegister(b, loc, exchange, first, type);
  Value result = LLVM::UndefOp::create(b, loc, type);
  for (auto [index, field] : llvm::enumerate(fields.getBody()))
    result = LLVM::InsertValueOp::create(
        b, loc, result,
        KernelRewriter::loadRegister(b, loc, exchange, first + index, field),
        index);
  return result;
}

LogicalResult NVVMRewriter::rewrite(NVVM::LdMatrixOp load) {
  if (failed(checkMatrix(load)))
    return failure();
  Value exchange = kernel.getExchange(b);
  bool transposed = load.getLayout() == NVVM::MMALayout::col;
  call("sparse_attn_emu_ldmatrix", {},
       {load.getPtr(), exchange, i32(load.getNum()), i32(transposed), text()});
  return replace(loadResults(b, loc, exchange, 0, load.getType()));
}

LogicalResult NVVMRewriter::rewrite(NVVM::StMatrixOp store) {
  if (failed(checkMatrix(store)))
    return failure();
  Value exchange = kernel.getExchange(b);
  for (auto [index, source] : llvm::enumerate(store.getSources()))
    KernelRewriter::storeRegister(b, loc, exchange, index, source);
  bool transposed = store.getLayout() == NVVM::MMALayout::col;
  return replaceByCall("sparse_attn_emu_stmatrix",
                       {store.getPtr(), exchange,
                        i32(store.getSources().size()), i32(transposed),
                        text()});
}

static std::optional<MmaKind> getKind(NVVM::MmaOp mma) {
  NVVM::MMAShapeAttr shape = mma.getShape();
  auto a = mma.getMultiplicandAPtxType(), b = mma.getMultiplicandBPtxType();
  auto result = dyn_cast<LLVM::LLVMStructType>(mma.getType());
  bool isF32 = result && llvm::all_of(result.getBody(),
                                      [](Type type) { return type.isF32(); });
  if (!a || a != b || !isF32 || shape.getM() != 16 || shape.getN() != 8)
    return std::nullopt;
  auto oneOf = [&](int low, MmaKind lowKind, int high,
                   MmaKind highKind) -> std::optional<MmaKind> {
    if (shape.getK() == low)
      return lowKind;
    if (shape.getK() == high)
      return highKind;
    return std::nullopt;
  };
  switch (*a) {
  case NVVM::MMATypes::f16:
    return oneOf(8, MmaKind::F16K8, 16, MmaKind::F16K16);
  case NVVM::MMATypes::bf16:
    return oneOf(8, MmaKind::BF16K8, 16, MmaKind::BF16K16);
  case NVVM::MMATypes::tf32:
    return oneOf(4, MmaKind::TF32K4, 8, MmaKind::TF32K8);
  default:
    return std::nullopt;
  }
}

LogicalResult NVVMRewriter::rewrite(NVVM::MmaOp mma) {
  std::optional<MmaKind> kind = getKind(mma);
  if (!kind)
    return emitUnsupported(
        op, "of this shape and type; it knows m16n8k8 and m16n8k16 of f16 and "
            "bf16 and m16n8k4 and m16n8k8 of tf32, accumulating in f32");
  constexpr unsigned firstB = 4, firstC = 6, firstD = 10;
  static_assert(offsetof(emulator::MmaRegisters, b) == 4 * firstB);
  static_assert(offsetof(emulator::MmaRegisters, c) == 4 * firstC);
  static_assert(offsetof(emulator::MmaRegisters, d) == 4 * firstD);
  Value exchange = kernel.getExchange(b);
  auto store = [&](unsigned first, ValueRange values) {
    for (auto [index, value] : llvm::enumerate(values))
      KernelRewriter::storeRegister(b, loc, exchange, first + index, value);
  };
  store(0, mma.getOperandA());
  store(firstB, mma.getOperandB());
  store(firstC, mma.getOperandC());
  call("sparse_attn_emu_mma", {}, {exchange, i32Of(*kind), text()});
  return replace(loadResults(b, loc, exchange, firstD, mma.getType()));
}

//===----------------------------------------------------------------------===//
// Copies and conversions
//===----------------------------------------------------------------------===//

LogicalResult NVVMRewriter::rewrite(NVVM::CpAsyncOp copy) {
  return replaceByCall("sparse_attn_emu_cp_async",
                       {copy.getDst(), copy.getSrc(), i32(copy.getSize()),
                        orDefault(copy.getCpSize(), copy.getSize()), text()});
}

LogicalResult NVVMRewriter::rewrite(NVVM::ConvertFloatToTF32Op convert) {
  if (convert.getRnd() != NVVM::FPRoundingMode::RNA || convert.getRelu() ||
      convert.getSat() != NVVM::SaturationMode::NONE)
    return emitUnsupported(op, "other than with rounding 'rna'");
  return replaceByCall("sparse_attn_emu_to_tf32", convert.getSrc());
}

template <typename Op>
LogicalResult NVVMRewriter::rewriteConversion(Op convert, StringRef callee) {
  if (convert.getRnd() != NVVM::FPRoundingMode::RN || convert.getRelu() ||
      convert.getSat() != NVVM::SaturationMode::NONE)
    return emitUnsupported(op, "other than with rounding 'rn'");
  Value bits =
      call(callee, b.getI32Type(), {convert.getSrcHi(), convert.getSrcLo()});
  return replace(KernelRewriter::fromRegister(b, loc, bits, convert.getType()));
}

LogicalResult NVVMRewriter::rewrite(NVVM::PermuteOp permute) {
  if (permute.getMode() != NVVM::PermuteMode::DEFAULT)
    return emitUnsupported(op, "in other than its default mode");
  return replaceByCall(
      "sparse_attn_emu_permute",
      {permute.getLo(), permute.getHi(), permute.getSelector()});
}

LogicalResult KernelRewriter::rewriteNVVM(Operation *op) {
  NVVMRewriter rewriter(*this, op);
  if (std::optional<SpecialRegister> which = getSpecialRegister(op))
    return rewriter.replaceByCall("sparse_attn_emu_special_register",
                                  rewriter.i32Of(*which));
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<NVVM::BarrierOp, NVVM::ShflOp, NVVM::VoteSyncOp, NVVM::ReduxOp,
            NVVM::ElectSyncOp, NVVM::LdMatrixOp, NVVM::StMatrixOp, NVVM::MmaOp,
            NVVM::CpAsyncOp, NVVM::ConvertFloatToTF32Op, NVVM::PermuteOp>(
          [&](auto op) { return rewriter.rewrite(op); })
      .Case(
          [&](NVVM::WarpSizeOp) { return rewriter.replace(rewriter.i32(32)); })
      .Case([&](NVVM::Barrier0Op) {
        return rewriter.replaceByCall(
            "sparse_attn_emu_barrier",
            {rewriter.i32(0), rewriter.i32(0), rewriter.text()});
      })
      .Case([&](NVVM::BarrierArriveOp arrive) {
        return rewriter.replaceByCall(
            "sparse_attn_emu_barrier_arrive",
            {rewriter.orDefault(arrive.getBarrierId(), 0),
             arrive.getNumberOfThreads(), rewriter.text()});
      })
      .Case([&](NVVM::SyncWarpOp sync) {
        return rewriter.replaceByCall("sparse_attn_emu_warp_sync",
                                      {sync.getMask(), rewriter.text()});
      })
      .Case([&](NVVM::CpAsyncCommitGroupOp) {
        return rewriter.replaceByCall("sparse_attn_emu_cp_async_commit", {});
      })
      .Case([&](NVVM::CpAsyncWaitGroupOp wait) {
        return rewriter.replaceByCall("sparse_attn_emu_cp_async_wait",
                                      rewriter.i32(wait.getN()));
      })
      .Case<NVVM::MembarOp, NVVM::FenceScClusterOp>([&](Operation *) {
        return rewriter.replaceByCall("sparse_attn_emu_fence", rewriter.text());
      })
      .Case([&](NVVM::NanosleepOp) {
        return rewriter.replaceByCall("sparse_attn_emu_yield", {});
      })
      .Case([&](NVVM::PrefetchOp prefetch) {
        prefetch.erase();
        return success();
      })
      .Case([&](NVVM::RcpApproxFtzF32Op reciprocal) {
        return rewriter.replaceByCall("sparse_attn_emu_rcp_ftz",
                                      reciprocal.getArg());
      })
      .Case([&](NVVM::ConvertF32x2ToF16x2Op convert) {
        return rewriter.rewriteConversion(convert, "sparse_attn_emu_pack_f16");
      })
      .Case([&](NVVM::ConvertF32x2ToBF16x2Op convert) {
        return rewriter.rewriteConversion(convert, "sparse_attn_emu_pack_bf16");
      })
      .Default([&](Operation *op) { return rewriteMBarrier(op); });
}
