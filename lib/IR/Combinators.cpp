//===- Combinators.cpp - union, intersection, complement ------------------===//

#include "MaskExtent.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::sparse_attn;

using ErrorEmitter = llvm::function_ref<InFlightDiagnostic()>;

static SmallVector<Mask> getMasks(ArrayRef<MaskAttrInterface> members,
                                  std::optional<int64_t> nk) {
  return llvm::map_to_vector(
      members, [&](MaskAttrInterface m) { return m.getMask(nk); });
}

static LogicalResult verifyMembers(ErrorEmitter emitError, StringRef what,
                                   ArrayRef<MaskAttrInterface> members) {
  if (members.empty())
    return emitError() << "an empty " << what << " has no meaning here; "
                       << "name at least one mask";
  return verifyExtent(emitError, members);
}

static LogicalResult verifyAllLengths(ErrorEmitter emitError,
                                      ArrayRef<MaskAttrInterface> members,
                                      std::optional<int64_t> nq,
                                      std::optional<int64_t> nk) {
  for (MaskAttrInterface member : members)
    if (failed(member.verifyLengths(emitError, nq, nk)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// union
//===----------------------------------------------------------------------===//

Mask UnionAttr::getMask(std::optional<int64_t> nk) const {
  return Mask::unionOf(getMasks(getMembers(), nk));
}

Value UnionAttr::emitPredicate(OpBuilder &b, Location loc,
                               const MaskPosition &at) const {
  Value allowed = getMembers().front().emitPredicate(b, loc, at);
  for (MaskAttrInterface member : getMembers().drop_front())
    allowed =
        arith::OrIOp::create(b, loc, allowed, member.emitPredicate(b, loc, at));
  return allowed;
}

LogicalResult UnionAttr::verify(ErrorEmitter emitError,
                                ArrayRef<MaskAttrInterface> members) {
  return verifyMembers(emitError, "union", members);
}

LogicalResult UnionAttr::verifyLengths(ErrorEmitter emitError,
                                       std::optional<int64_t> nq,
                                       std::optional<int64_t> nk) const {
  return verifyAllLengths(emitError, getMembers(), nq, nk);
}

//===----------------------------------------------------------------------===//
// intersection
//===----------------------------------------------------------------------===//

Mask IntersectionAttr::getMask(std::optional<int64_t> nk) const {
  return Mask::intersectionOf(getMasks(getMembers(), nk));
}

Value IntersectionAttr::emitPredicate(OpBuilder &b, Location loc,
                                      const MaskPosition &at) const {
  Value allowed = getMembers().front().emitPredicate(b, loc, at);
  for (MaskAttrInterface member : getMembers().drop_front())
    allowed = arith::AndIOp::create(b, loc, allowed,
                                    member.emitPredicate(b, loc, at));
  return allowed;
}

LogicalResult IntersectionAttr::verify(ErrorEmitter emitError,
                                       ArrayRef<MaskAttrInterface> members) {
  return verifyMembers(emitError, "intersection", members);
}

LogicalResult IntersectionAttr::verifyLengths(ErrorEmitter emitError,
                                              std::optional<int64_t> nq,
                                              std::optional<int64_t> nk) const {
  return verifyAllLengths(emitError, getMembers(), nq, nk);
}

//===----------------------------------------------------------------------===//
// complement
//===----------------------------------------------------------------------===//

Mask ComplementAttr::getMask(std::optional<int64_t> nk) const {
  return Mask::complementOf(getOperand().getMask(nk));
}

Value ComplementAttr::emitPredicate(OpBuilder &b, Location loc,
                                    const MaskPosition &at) const {
  Value inside = getOperand().emitPredicate(b, loc, at);
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  return arith::XOrIOp::create(b, loc, inside, yes);
}

LogicalResult ComplementAttr::verify(ErrorEmitter emitError,
                                     MaskAttrInterface operand) {
  return verifyExtent(emitError, operand);
}

LogicalResult ComplementAttr::verifyLengths(ErrorEmitter emitError,
                                            std::optional<int64_t> nq,
                                            std::optional<int64_t> nk) const {
  return getOperand().verifyLengths(emitError, nq, nk);
}
