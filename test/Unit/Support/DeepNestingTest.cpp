//===- DeepNestingTest.cpp - What counts as nesting -----------------------===//

#include "SparseAttn/Support/Source.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::support;
using llvm::StringRef;

namespace {

std::string repeat(StringRef text, unsigned times) {
  std::string result;
  while (times-- > 0)
    result += text;
  return result;
}

/// The offset of the problem in `text`; -1: there is none.
int64_t find(const std::string &text) {
  std::optional<TextProblem> problem = findDeepNesting(text);
  return problem ? problem->where - text.data() : -1;
}

std::string chain(unsigned length, StringRef define, StringRef first) {
  std::string text = ("#a0 = " + first + "\n").str();
  for (unsigned i = 1; i <= length; ++i)
    text += "#a" + std::to_string(i) + " = " +
            llvm::formatv(define.data(), "#a" + std::to_string(i - 1)).str() +
            "\n";
  return text;
}

TEST(DeepNesting, TheLimitIsExactForEachBracket) {
  for (StringRef bracket : {"(", "[", "{", "<"}) {
    EXPECT_EQ(find(repeat(bracket, kMaxNesting)), -1);
    EXPECT_EQ(find(repeat(bracket, kMaxNesting + 1)), int64_t(kMaxNesting));
    EXPECT_EQ(find("\n" + repeat(bracket, kMaxNesting + 9)), kMaxNesting + 1);
  }
  EXPECT_EQ(find(repeat("(<[{", kMaxNesting / 4)), -1);
  EXPECT_EQ(find(repeat("(<[{", kMaxNesting / 4) + " <"), kMaxNesting + 1);
}

TEST(DeepNesting, ClosedBracketsDoNotCount) {
  for (StringRef pair : {"()", "[]", "{}", "<>", "f(%a) -> (<{x}>)"})
    EXPECT_EQ(find(repeat(pair, 1000)), -1);
}

TEST(DeepNesting, StringsAndCommentsDoNotCount) {
  std::string deep = repeat("(", 1000);
  EXPECT_EQ(find("\"" + deep + "\""), -1);
  EXPECT_EQ(find("\"\\\"" + deep + "\""), -1);
  EXPECT_EQ(find("// " + deep + "\n//" + deep), -1);
  // A string ends with its line, as for the lexer.
  EXPECT_GE(find("\"\n" + deep), 0);
  EXPECT_GE(find("\"\\\\\"" + deep), 0);
  EXPECT_GE(find("/ / \"x\" " + deep), 0);
}

TEST(DeepNesting, ArrowsAndComparisonsAreNoBrackets) {
  EXPECT_EQ(find(repeat("(d0 <= 4, d0 >= 0) ", 1000)), -1);
  EXPECT_EQ(find(repeat("a <= b ", 1000)), -1);
  // An arrow closes nothing: neither here, nor does it hide what is open.
  EXPECT_EQ(find(repeat("<->", 300)), 3 * int64_t(kMaxNesting));
  EXPECT_EQ(find(repeat("<x >= 0,", 300)), 8 * int64_t(kMaxNesting));
}

TEST(DeepNesting, AnUnmatchedLessThanEndsWithItsParentheses) {
  EXPECT_EQ(find(repeat("(a < b)", 1000)), -1);
  EXPECT_EQ(find(repeat("}])>", 1000) + repeat("(", kMaxNesting)), -1);
}

TEST(DeepNesting, AliasesNestAsDeepAsWhatTheyStandFor) {
  std::string text = chain(1000, "f<{0}>", "0");
  std::optional<TextProblem> problem = findDeepNesting(text);
  ASSERT_TRUE(problem);
  EXPECT_TRUE(StringRef(problem->where).starts_with("#a256>\n#a258 = "));
  EXPECT_EQ(problem->message,
            "with those of '#a256' brackets nest deeper than 256, the limit "
            "for input; write it with less nesting");
  EXPECT_EQ(find(chain(kMaxNesting, "f<{0}>", "0")), -1);
  EXPECT_EQ(find(chain(1000, "{0}", "f<0>")), -1);
}

TEST(DeepNesting, ADefinitionMayGoOnInTheNextLine) {
  for (const char *define :
       {"\n f<\n{0}>", "dense<0>\n : f<{0}>", "dense<0> :\n f<{0}>",
        "() ->\n f<{0}>", "f // comment\n <{0}>", "@a::\n@b\n<{0}>"})
    EXPECT_GE(find(chain(1000, define, "0")), 0) << define;
}

TEST(DeepNesting, UsesInOperationsDoNotAddToTheLastAlias) {
  std::string text = "#a = f<0>\n";
  text += "func.func @f() {\n" + repeat("  op {m = #a, n = #a}\n", 200000) +
          "}\n" + "%0 = op" + repeat("(", kMaxNesting - 1);
  EXPECT_EQ(find(text), -1);
  EXPECT_EQ(find(text + "#a"), -1);
  EXPECT_EQ(find(text + "(#a"), int64_t(text.size()) + 1);
}

TEST(DeepNesting, AliasesThatDoubleAreRefused) {
  std::string text = chain(100, "f<{0}, {0}>", "0");
  std::optional<TextProblem> problem = findDeepNesting(text);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->message,
            "'#a16' stands for more than 100000 other aliases, counted each "
            "time one is named; name fewer");
  EXPECT_EQ(find(chain(15, "f<{0}, {0}>", "0")), -1);
}

TEST(DeepNesting, TheEndMayComeAnywhere) {
  std::string text = "#a = f<\"x\\\"\">\n!b = g<->(#a) // c\n#c";
  for (size_t size = 0; size <= text.size(); ++size)
    EXPECT_EQ(find(text.substr(0, size)), -1);
}

} // namespace
