//===- PieceTextParser.cpp - Unions of pieces from text -------------------===//

#include "SparseAttn/Mask/Mask.h"
#include "SparseAttn/Mask/PieceText.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::StringRef;

namespace {
/// Recursive descent. A failed production returns nullopt, with the first
/// problem in `error`.
class PieceParser {
public:
  PieceParser(StringRef text, std::string &error) : rest(text), error(error) {}

  std::optional<Pieces> parseAll() {
    Pieces pieces;
    if (!consume("none")) {
      do {
        std::optional<Piece> piece = parsePiece();
        if (!piece)
          return std::nullopt;
        if (pieces.size() == defaultMaxPieces)
          return fail("the union has too many pieces");
        pieces.push_back(std::move(*piece));
      } while (consume("or"));
    }
    if (!unread().empty())
      return fail("unexpected '" + unread().take_front(16) + "'");
    return pieces;
  }

  /// What is left of the text.
  StringRef unread() const { return rest.ltrim(); }

private:
  static constexpr unsigned maxLiterals = 64;

  std::nullopt_t fail(const llvm::Twine &message) {
    if (error.empty())
      error = message.str();
    return std::nullopt;
  }

  bool refuse(const llvm::Twine &message) {
    fail(message);
    return false;
  }

  bool consume(StringRef token) {
    rest = rest.ltrim();
    if (!rest.starts_with(token))
      return false;
    // A word ends where its letters do.
    if (llvm::isAlpha(token.back()) && rest.size() > token.size() &&
        llvm::isAlnum(rest[token.size()]))
      return false;
    rest = rest.drop_front(token.size());
    return true;
  }

  std::optional<int64_t> parseInteger() {
    rest = rest.ltrim();
    StringRef digits = rest.take_while(llvm::isDigit);
    if (digits.empty())
      return fail("expected an integer");
    int64_t value = 0;
    if (digits.getAsInteger(10, value) || value > maxInteger)
      return fail("the integer '" + digits + "' is too large");
    rest = rest.drop_front(digits.size());
    return value;
  }

  std::optional<Piece> parsePiece() {
    Piece piece;
    if (consume("all"))
      return piece;
    unsigned literals = 0;
    do {
      if (++literals > maxLiterals)
        return fail("the piece has too many literals");
      if (!parseLiteral(piece))
        return std::nullopt;
    } while (consume("and"));
    return piece;
  }

  bool parseLiteral(Piece &piece) {
    bool ofKey = consume("j");
    if (!ofKey && !consume("i"))
      return refuse("expected 'i' or 'j'");
    auto subject = ofKey ? Residue::Subject::Key : Residue::Subject::Query;
    if (consume("-")) {
      if (consume("nk"))
        return parseSet(piece, ofKey, /*fromEnd=*/true);
      subject = Residue::Subject::KeyMinusQuery;
      if (!ofKey)
        return refuse("expected 'nk' after 'i -'");
      if (!consume("i"))
        return refuse("expected 'i' or 'nk' after 'j -'");
    }
    if (consume("mod"))
      return parseResidue(piece, subject);
    if (subject != Residue::Subject::KeyMinusQuery &&
        (consume("in") || rest.ltrim().starts_with("not")))
      return parsePositions(piece, ofKey, /*fromEnd=*/false);
    bool isLower = consume(">=");
    if (subject == Residue::Subject::KeyMinusQuery ||
        (!isLower && !consume("<")))
      return refuse(subject == Residue::Subject::KeyMinusQuery
                        ? "expected 'mod'"
                        : "expected '>=', '<' or 'mod'");
    std::optional<Bound> bound = parseBound(/*ofRow=*/!ofKey);
    if (!bound)
      return false;
    if (ofKey)
      (isLower ? piece.lower : piece.upper).push_back(*bound);
    else
      (isLower ? piece.rowLower : piece.rowUpper).push_back(*bound);
    return true;
  }

  bool parseResidue(Piece &piece, Residue::Subject subject) {
    Residue residue;
    residue.subject = subject;
    std::optional<int64_t> modulus = parseInteger();
    if (!modulus)
      return false;
    if (!consume("in"))
      return refuse("expected 'in'");
    std::optional<int64_t> begin = parseInteger();
    if (!begin)
      return false;
    if (!consume("to"))
      return refuse("expected 'to'");
    std::optional<int64_t> end = parseInteger();
    if (!end)
      return false;
    if (*begin >= *end || *end > *modulus || *modulus > 2 * maxSequenceLength)
      return refuse("a residue needs begin < end <= modulus <= 2^31");
    piece.residues.push_back({subject, *modulus, *begin, *end});
    return true;
  }

  bool parseSet(Piece &piece, bool ofKey, bool fromEnd) {
    if (!consume("in") && !rest.ltrim().starts_with("not"))
      return refuse("expected 'in' or 'not in'");
    return parsePositions(piece, ofKey, fromEnd);
  }

  /// What follows `in`, or all of `not in`: numbers and ranges that ascend.
  bool parsePositions(Piece &piece, bool ofKey, bool fromEnd) {
    bool isNegated = consume("not");
    if (isNegated && !consume("in"))
      return refuse("expected 'in' after 'not'");
    if (!consume("{"))
      return refuse("expected '{'");
    llvm::SmallVector<Range> ranges;
    do {
      std::optional<Range> range = parseRange();
      if (!range)
        return false;
      if (!ranges.empty() && range->begin <= ranges.back().end)
        return refuse("positions of a set ascend, and ranges of them do not "
                      "touch");
      ranges.push_back(*range);
    } while (consume(","));
    if (!consume("}"))
      return refuse("expected ',' or '}'");
    PositionSet set = {ofKey, fromEnd,
                       std::make_shared<const IntervalSet>(
                           IntervalSet::fromRanges(std::move(ranges)))};
    piece.sets.push_back(isNegated ? set.complement() : set);
    return true;
  }

  std::optional<int64_t> parsePosition() {
    bool isNegative = consume("-");
    std::optional<int64_t> value = parseInteger();
    if (value && *value > maxSequenceLength)
      return fail("a position of a set is at most 2^30");
    return value && isNegative ? -*value : value;
  }

  /// A position, or `begin to end`.
  std::optional<Range> parseRange() {
    std::optional<int64_t> begin = parsePosition();
    if (!begin)
      return std::nullopt;
    std::optional<int64_t> end = *begin + 1;
    if (consume("to"))
      end = parsePosition();
    if (end && *end <= *begin)
      return fail("a range of a set needs begin < end");
    if (!end)
      return std::nullopt;
    return Range{*begin, *end};
  }

  std::optional<Bound> parseBound(bool ofRow) {
    Bound bound;
    int64_t sign = consume("-") ? -1 : 1;
    while (true) {
      if (!parseTerm(bound, sign, ofRow))
        return std::nullopt;
      if (consume("+"))
        sign = 1;
      else if (consume("-"))
        sign = -1;
      else
        return bound;
    }
  }

  bool parseTerm(Bound &bound, int64_t sign, bool ofRow) {
    if (consume("i")) {
      if (ofRow || sign < 0 || bound.block != 0)
        return refuse(ofRow ? "a bound of i depends on i"
                            : "a bound is at most one multiple of i");
      return parseBlock(bound);
    }
    int64_t *part = consume("nk") ? &bound.perKey : &bound.offset;
    std::optional<int64_t> value = 1;
    if (part == &bound.offset || consume("*"))
      value = parseInteger();
    if (!value)
      return false;
    *part += sign * *value;
    if (*part > maxInteger || *part < -maxInteger ||
        (part == &bound.perKey && (*part > 1024 || *part < -1024)))
      return refuse("a bound is too large");
    return true;
  }

  bool parseBlock(Bound &bound) {
    bound.block = 1;
    if (!consume("floordiv"))
      return true;
    std::optional<int64_t> divisor = parseInteger();
    if (!divisor)
      return false;
    if (!consume("*"))
      return refuse("expected '*' and the divisor again");
    std::optional<int64_t> factor = parseInteger();
    if (!factor)
      return false;
    if (*factor != *divisor || *factor < 1 || *factor > 2 * maxSequenceLength)
      return refuse("a block of i needs one divisor and factor from 1 to 2^31");
    bound.block = *divisor;
    return true;
  }

  /// As far as positions go with room for a few sums (Integer.h).
  static constexpr int64_t maxInteger = int64_t(1) << 41;

  StringRef rest;
  std::string &error;
};
} // namespace

std::optional<Pieces> mask::parsePieces(StringRef text, std::string &error,
                                        size_t *errorOffset) {
  error.clear();
  PieceParser parser(text, error);
  std::optional<Pieces> pieces = parser.parseAll();
  if (!pieces && errorOffset)
    *errorOffset = text.size() - parser.unread().size();
  return pieces;
}
