//===- DeepNesting.cpp - How deep brackets and aliases nest ---------------===//
//
// `#a = complement<#b>` nests as deep as the text of #b and one bracket more,
// however flat its own line is. Aliases are defined before they are used, so
// one pass over the text knows the depth of each.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Support/Source.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::support;
using llvm::StringRef;

namespace {

/// The brackets that an alias has open at once, and how many aliases it stands
/// for, both with all that these stand for in turn.
struct Extent {
  size_t depth = 0;
  uint64_t names = 1;
};

class NestingScanner {
public:
  explicit NestingScanner(StringRef text) : text(text) {}

  std::optional<TextProblem> scan() {
    while (at < text.size() && !problem)
      scanNext();
    return std::move(problem);
  }

private:
  char peek(size_t offset = 0) const {
    return at + offset < text.size() ? text[at + offset] : '\0';
  }

  void scanNext() {
    if (llvm::isSpace(peek())) {
      beginsLine |= peek() == '\n';
      ++at;
      return;
    }
    if (peek() == '/' && peek(1) == '/') {
      at = std::min(text.find('\n', at), text.size());
      return;
    }
    if (beginsLine && beginsOperation())
      defined = StringRef();
    beginsLine = false;
    size_t start = at;
    scanToken();
    last = text[start];
  }

  void scanToken() {
    switch (peek()) {
    case '"':
      return skipString();
    case '-':
      // `->` closes nothing.
      at += peek(1) == '>' ? 2 : 1;
      return;
    case '<':
    case '>':
      // `<=` and `>=` compare, in the constraints of integer sets.
      if (peek(1) == '=')
        at += 2;
      else if (peek() == '<')
        open();
      else
        close('<');
      return;
    case '(':
    case '[':
    case '{':
      return open();
    case ')':
      return close('(');
    case ']':
      return close('[');
    case '}':
      return close('{');
    case '#':
    case '!':
      return scanAlias();
    default:
      ++at;
    }
  }

  void skipString() {
    // The lexer ends a string at the end of its line.
    for (++at; at < text.size() && peek() != '"' && peek() != '\n'; ++at)
      if (peek() == '\\')
        ++at;
    ++at;
  }

  /// True when what begins this line cannot belong to the definition of an
  /// alias in the lines above.
  bool beginsOperation() const {
    return brackets.size() <= baseDepth && !StringRef("=:,-").contains(last) &&
           (llvm::isAlpha(peek()) || StringRef("%\"@^_}").contains(peek()));
  }

  void open() {
    brackets.push_back(peek());
    reach(brackets.size(), at, "brackets nest");
    ++at;
  }

  /// Also closes what was opened inside and is no bracket after all, such as
  /// the `<` of a comparison. What closes nothing is the parser's business.
  void close(char opener) {
    ++at;
    size_t open = brackets.size();
    if (opener == '<') {
      if (open > 0 && brackets.back() == '<')
        brackets.pop_back();
      return;
    }
    while (open > 0 && brackets[open - 1] != opener)
      --open;
    if (open > 0)
      brackets.resize(open - 1);
  }

  /// `#name = ...` defines an alias, any other `#name` may use one.
  void scanAlias() {
    size_t start = at++;
    while (at < text.size() &&
           (llvm::isAlnum(text[at]) || StringRef("_.$").contains(text[at])))
      ++at;
    StringRef name = text.slice(start, at);
    size_t next = text.find_first_not_of(" \t\r\n", at);
    if (next != StringRef::npos && text[next] == '=') {
      defined = name;
      baseDepth = brackets.size();
      aliases[defined] = Extent();
      return;
    }
    auto used = aliases.find(name);
    if (used == aliases.end())
      return;
    Extent extent = used->second;
    reach(brackets.size() + extent.depth, start,
          llvm::formatv("with those of '{0}' brackets nest", name).str());
    if (!defined.empty() && name != defined)
      addNames(aliases[defined], extent.names, start);
  }

  void addNames(Extent &whole, uint64_t names, size_t place) {
    whole.names += names;
    if (whole.names > kMaxAliasExpansion && !problem)
      problem = {text.data() + place,
                 llvm::formatv("'{0}' stands for more than {1} other aliases, "
                               "counted each time one is named; name fewer",
                               defined, kMaxAliasExpansion)};
  }

  /// Notes that `depth` brackets are open at `place`.
  void reach(size_t depth, size_t place, StringRef what) {
    if (!defined.empty() && depth > baseDepth) {
      size_t &deepest = aliases[defined].depth;
      deepest = std::max(deepest, depth - baseDepth);
    }
    if (depth > kMaxNesting && !problem)
      problem = {text.data() + place,
                 llvm::formatv("{0} deeper than {1}, the limit for input; "
                               "write it with less nesting",
                               what, kMaxNesting)};
  }

  StringRef text;
  size_t at = 0;
  llvm::SmallVector<char, kMaxNesting> brackets;
  llvm::StringMap<Extent> aliases;
  /// The alias whose definition is being read, and the brackets around it.
  StringRef defined;
  size_t baseDepth = 0;
  bool beginsLine = true;
  /// How the token before began.
  char last = '\0';
  std::optional<TextProblem> problem;
};

} // namespace

std::optional<TextProblem> support::findDeepNesting(StringRef text) {
  return NestingScanner(text).scan();
}
