//===- Within.h - Which tiles of a segment data leaves ----------*- C++ -*-===//

#ifndef SPARSEATTN_PLAN_WITHIN_H
#define SPARSEATTN_PLAN_WITHIN_H

#include "SparseAttn/Mask/Mask.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/StringRef.h"

namespace mlir::sparse_attn::plan {

/// Which tiles of a segment are visited, where data decides on it: those that
/// may hold a pair of one document, and those of a query tile with a listed
/// row, or of a key tile with a listed key.
struct Within {
  bool documents = false;
  bool listedRows = false, listedKeys = false;
  /// Where it names both documents and listed tokens: whether either is enough.
  bool isEither = false;

  /// What all live pairs of a piece that asks for `facts` lie in.
  static Within of(unsigned facts);

  bool isListed() const { return listedRows || listedKeys; }
  /// Whether all tiles are visited.
  bool isEverything() const { return !documents && !isListed(); }
  /// Whether each tile is visited that holds a pair of which `facts` (DataFact)
  /// hold.
  bool holds(unsigned facts) const;
  /// Whether each tile that `inner` lets visit is one of its own.
  bool covers(const Within &inner) const;
  /// What comes first covers what comes later, of those that `align` has made
  /// comparable.
  unsigned rank() const;
  /// What covers both.
  Within join(const Within &other) const;

  friend bool operator==(const Within &a, const Within &b) {
    return a.documents == b.documents && a.listedRows == b.listedRows &&
           a.listedKeys == b.listedKeys && a.isEither == b.isEither;
  }
};

llvm::hash_code hash_value(const Within &within);
/// `documents and listed rows`.
llvm::raw_ostream &operator<<(llvm::raw_ostream &os, const Within &within);

/// Widens some so that of each two that overlap one covers the other.
void align(llvm::ArrayRef<Within *> all);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_WITHIN_H
