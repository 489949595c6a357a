//===- Primitives.cpp - Masks of one closed formula -----------------------===//

#include "ClosedForm.h"
#include "Integer.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::raw_ostream;

namespace {

Residue residue(Residue::Subject subject, int64_t modulus, int64_t begin,
                int64_t end) {
  return {subject, modulus, begin, end};
}

class Full : public ClosedForm {
public:
  Full() : ClosedForm({Piece()}) {}
  bool contains(const Lengths &, int64_t, int64_t, int64_t) const override {
    return true;
  }
  Mask transpose() const override { return Mask(shared_from_this()); }
  void print(raw_ostream &os) const override { os << "full"; }
};

Piece causalPiece() {
  Piece piece;
  piece.upper.push_back(Bound::diagonal(1));
  return piece;
}

class Causal : public ClosedForm {
public:
  Causal() : ClosedForm({causalPiece()}) {}
  bool contains(const Lengths &, int64_t, int64_t i, int64_t j) const override {
    return j <= i;
  }
  Mask transpose() const override {
    return Mask::slidingWindow(/*left=*/0, /*right=*/std::nullopt);
  }
  void print(raw_ostream &os) const override { os << "causal"; }
};

Piece chunkPiece(int64_t size) {
  Piece piece;
  piece.lower.push_back(Bound::blockDiagonal(size, 0));
  piece.upper.push_back(Bound::blockDiagonal(size, size));
  return piece;
}

class Chunked : public ClosedForm {
public:
  explicit Chunked(int64_t size) : ClosedForm({chunkPiece(size)}), size(size) {}
  bool contains(const Lengths &, int64_t, int64_t i, int64_t j) const override {
    return floorDiv(i, size) == floorDiv(j, size);
  }
  Mask transpose() const override { return Mask(shared_from_this()); }
  void print(raw_ostream &os) const override {
    os << "chunked(size=" << size << ')';
  }

private:
  int64_t size;
};

Piece stridePiece(int64_t stride) {
  Piece piece;
  piece.residues.push_back(
      residue(Residue::Subject::KeyMinusQuery, stride, 0, 1));
  return piece;
}

class Strided : public ClosedForm {
public:
  explicit Strided(int64_t stride)
      : ClosedForm({stridePiece(stride)}), stride(stride) {}
  bool contains(const Lengths &, int64_t, int64_t i, int64_t j) const override {
    return (i - j) % stride == 0;
  }
  Mask transpose() const override { return Mask(shared_from_this()); }
  void print(raw_ostream &os) const override {
    os << "strided(stride=" << stride << ')';
  }

private:
  int64_t stride;
};

Piece prefixPiece(int64_t length, bool ofQueries) {
  Piece piece;
  if (ofQueries)
    piece.rowUpper.push_back(Bound::constant(length));
  else
    piece.upper.push_back(Bound::constant(length));
  return piece;
}

/// x < length for the key position x or, transposed, the query position.
class Prefix : public ClosedForm {
public:
  Prefix(int64_t length, bool ofQueries)
      : ClosedForm({prefixPiece(length, ofQueries)}), length(length),
        ofQueries(ofQueries) {}
  bool contains(const Lengths &, int64_t, int64_t i, int64_t j) const override {
    return (ofQueries ? i : j) < length;
  }
  Mask transpose() const override {
    return Mask(std::make_shared<Prefix>(length, !ofQueries));
  }
  void print(raw_ostream &os) const override {
    os << (ofQueries ? "prefix_rows" : "prefix") << "(length=" << length << ')';
  }

private:
  int64_t length;
  bool ofQueries;
};

Pieces periodicPieces(int64_t period, int64_t last, bool ofQueries) {
  if (last <= 0)
    return {};
  Piece piece;
  piece.residues.push_back(
      residue(ofQueries ? Residue::Subject::Query : Residue::Subject::Key,
              period, std::max<int64_t>(0, period - last), period));
  return {piece};
}

/// x mod period >= period - last, for x as in Prefix.
class Periodic : public ClosedForm {
public:
  Periodic(int64_t period, int64_t last, bool ofQueries)
      : ClosedForm(periodicPieces(period, last, ofQueries)), period(period),
        last(last), ofQueries(ofQueries) {}
  bool contains(const Lengths &, int64_t, int64_t i, int64_t j) const override {
    return floorMod(ofQueries ? i : j, period) >= period - last;
  }
  Mask transpose() const override {
    return Mask(std::make_shared<Periodic>(period, last, !ofQueries));
  }
  void print(raw_ostream &os) const override {
    os << (ofQueries ? "periodic_rows" : "periodic_columns")
       << "(period=" << period << ", last=" << last << ')';
  }

private:
  int64_t period, last;
  bool ofQueries;
};

} // namespace

Mask Mask::full() { return Mask(std::make_shared<Full>()); }

Mask Mask::causal() { return Mask(std::make_shared<Causal>()); }

Mask Mask::chunked(int64_t size) {
  return Mask(std::make_shared<Chunked>(clampPeriod(size)));
}

Mask Mask::strided(int64_t stride) {
  return Mask(std::make_shared<Strided>(clampPeriod(stride)));
}

Mask Mask::prefix(int64_t length) {
  return Mask(
      std::make_shared<Prefix>(std::min(length, maxSequenceLength), false));
}

static std::shared_ptr<Periodic> makePeriodic(int64_t period, int64_t last,
                                              bool ofQueries) {
  if (period > periodLimit) {
    // Positions x >= 0 stand at x in the period, those below 0 at its end.
    int64_t begin = period - last;
    last = begin < maxSequenceLength ? periodLimit - begin
                                     : std::min(last, maxSequenceLength);
    period = periodLimit;
  }
  return std::make_shared<Periodic>(period, last, ofQueries);
}

Mask Mask::periodicColumns(int64_t period, int64_t last) {
  return Mask(makePeriodic(period, last, /*ofQueries=*/false));
}

Mask Mask::periodicRows(int64_t period, int64_t last) {
  return Mask(makePeriodic(period, last, /*ofQueries=*/true));
}
