//===- Combinators.cpp - union, intersection, complement ------------------===//

#include "MaskExtent.h"
#include "MaskOwner.h"
#include "SparseAttn/IR/SparseAttn.h"

using namespace mlir;
using namespace mlir::sparse_attn;

using ErrorEmitter = llvm::function_ref<InFlightDiagnostic()>;

static SmallVector<Mask> getMasks(ArrayRef<MaskAttrInterface> members,
                                  std::optional<int64_t> nk) {
  return llvm::map_to_vector(
      members, [&](MaskAttrInterface m) { return getMaskWithOwner(m, nk); });
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
  return Mask::complementOf(getMaskWithOwner(getOperand(), nk));
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
