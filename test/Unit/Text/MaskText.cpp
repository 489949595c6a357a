//===- MaskText.cpp - Random MLIR text for the fuzz test ------------------===//

#include "MaskText.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::test;
using llvm::ArrayRef;
using llvm::StringRef;

static constexpr StringRef kExtremes[] = {"0",
                                          "-1",
                                          "1",
                                          "255",
                                          "65536",
                                          "536870911",
                                          "1073741823",
                                          "1073741824",
                                          "2147483647",
                                          "2147483648",
                                          "-2147483648",
                                          "4294967296",
                                          "1099511627776",
                                          "1152921504606846976",
                                          "4611686018427387905",
                                          "9223372036854775807",
                                          "-9223372036854775807",
                                          "-9223372036854775808",
                                          "9223372036854775808",
                                          "18446744073709551615",
                                          "18446744073709551616",
                                          "99999999999999999999999999"};

std::string TextGenerator::number() {
  if (oneIn(8))
    return choose(kExtremes).str();
  constexpr int kUsual[] = {1, 2, 3, 4, 5, 7, 8, 16, 17, 32, 64, 100};
  return std::to_string(kUsual[below(std::size(kUsual))]);
}

std::string TextGenerator::extent(StringRef name) {
  return name.str() + " = " + (oneIn(5) ? "unbounded" : number());
}

std::string TextGenerator::primitive() {
  switch (below(9)) {
  case 0:
    return "full";
  case 1:
    return "causal";
  case 2: {
    StringRef unit = choose({"", ", dilation = ", ", block = "});
    return "sliding_window<" + extent("left") + ", " + extent("right") +
           unit.str() + (unit.empty() ? "" : number()) + ">";
  }
  case 3: {
    std::string tokens = "tokens = [" + number();
    for (uint64_t more = below(3); more > 0; --more)
      tokens += ", " + choose({"", "-"}).str() + number();
    tokens += "]";
    std::string other = parameter(choose({"first", "last", "last_block"}));
    std::string all = oneIn(3)   ? tokens
                      : oneIn(2) ? other
                                 : tokens + ", " + other;
    StringRef direction =
        choose({"", ", direction = rows", ", direction = columns"});
    return "global<" + all + direction.str() + ">";
  }
  case 4: {
    std::string text = "random<" + parameter("block") + ", " +
                       parameter("blocks_per_row") + ", " + parameter("seed");
    if (oneIn(3))
      text += ", per_head = false";
    if (oneIn(2))
      text += ", " + parameter("bigbird_radius");
    return text + ">";
  }
  case 5:
    return "chunked<" + parameter("size") + ">";
  case 6:
    return "strided<" + parameter("stride") + ">";
  case 7:
    return "prefix<" + parameter("length") + ">";
  default:
    return choose({"periodic_columns<", "periodic_rows<"}).str() +
           parameter("period") + ", " + parameter("last") + ">";
  }
}

std::string TextGenerator::preset() {
  switch (below(6)) {
  case 0:
    return "longformer<" + parameter("window") + ", global_tokens = [" +
           number() + "]>";
  case 1:
    return "bigbird<" + parameter("block") + ", " +
           (oneIn(4) ? parameter("window_blocks")
                     : "window_blocks = " + choose({"1", "3", "5"}).str()) +
           ", " + parameter("random_blocks") + ">";
  case 2:
    return "prefix_lm<" + parameter("length") + ">";
  case 3:
    return "streaming<" + parameter("sinks") + ", " + parameter("window") + ">";
  case 4:
    return "sparse_transformer_strided<" + parameter("stride") + ">";
  default:
    return "sparse_transformer_fixed<" + parameter("stride") + ", " +
           parameter("columns") + ">";
  }
}

std::string TextGenerator::mask(unsigned depth) {
  std::string prefix = "#sparse_attn.";
  if (depth == 0 || oneIn(3))
    return prefix + (oneIn(4) ? preset() : primitive());
  if (oneIn(4))
    return prefix + "complement<" + mask(depth - 1) + ">";
  std::string text = prefix + choose({"union<", "intersection<"}).str();
  for (uint64_t more = 1 + below(3); more > 0; --more)
    text += mask(depth - 1) + (more > 1 ? ", " : ">");
  return text;
}

std::string TextGenerator::size(ArrayRef<StringRef> usual) {
  return (oneIn(30) ? choose(kExtremes) : choose(usual)).str();
}

std::string TextGenerator::generate() {
  std::string heads = size({"1", "2", "4"});
  std::string queries = size({"1", "7", "64", "97", "?"});
  std::string keys = oneIn(3) ? size({"1", "64", "130", "?"}) : queries;
  std::string dim =
      size({"1", "8", "64"}) + "x" + choose({"f32", "bf16"}).str();
  std::string q = "tensor<1x" + heads + "x" + queries + "x" + dim + ">";
  std::string k = "tensor<1x" + heads + "x" + keys + "x" + dim + ">";
  return llvm::formatv("#m = {0}\n"
                       "func.func @f(%q: {1}, %k: {2}) -> {1} {{\n"
                       "  %o = sparse_attn.attention mask(#m)\n"
                       "      ins(%q, %k, %k : {1}, {2}, {2})\n"
                       "      outs(%q : {1}) -> {1}\n"
                       "  return %o : {1}\n"
                       "}\n",
                       mask(below(4)), q, k);
}

std::vector<std::string> test::splitTokens(StringRef text) {
  std::vector<std::string> tokens;
  while (!text.empty()) {
    size_t size = 1;
    if (llvm::isSpace(text.front()))
      size = text.size() - text.ltrim().size();
    else if (text.starts_with("//"))
      size = text.take_until([](char c) { return c == '\n'; }).size();
    else if (llvm::isDigit(text.front()))
      size = text.take_while(llvm::isDigit).size();
    else if (llvm::isAlpha(text.front()) ||
             StringRef("#%@!").contains(text.front()))
      size = 1 + text.drop_front()
                     .take_while([](char c) {
                       return llvm::isAlnum(c) || c == '_' || c == '.';
                     })
                     .size();
    tokens.push_back(text.take_front(size).str());
    text = text.drop_front(size);
  }
  return tokens;
}

std::string TextGenerator::mutate(StringRef text,
                                  ArrayRef<std::string> corpus) {
  std::vector<std::string> tokens = splitTokens(text);
  for (uint64_t more = 1 + below(3); more > 0 && !tokens.empty(); --more) {
    auto at = tokens.begin() + below(tokens.size());
    switch (below(7)) {
    case 0:
      tokens.erase(at);
      break;
    case 1:
      tokens.insert(at, *at);
      break;
    case 2:
      std::swap(*at, tokens[below(tokens.size())]);
      break;
    case 3:
      *at = corpus[below(corpus.size())];
      break;
    case 4:
      tokens.insert(at, corpus[below(corpus.size())]);
      break;
    case 5:
      // A number, where there is one ahead.
      at = std::find_if(at, tokens.end(), [](const std::string &token) {
        return llvm::isDigit(token.front());
      });
      if (at != tokens.end())
        *at = choose(kExtremes).str();
      break;
    default: {
      at = std::find_if(at, tokens.end(), [](const std::string &token) {
        return StringRef("<>()[]{}").contains(token.front());
      });
      if (at != tokens.end())
        tokens.insert(at, below(oneIn(50) ? 400 : 3) + 1, std::string(*at));
    }
    }
  }
  return llvm::join(tokens, "");
}
