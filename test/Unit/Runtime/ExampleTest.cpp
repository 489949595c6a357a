//===- ExampleTest.cpp - The example of the documentation -----------------===//

#include "RuntimeTest.h"
#include <cstdlib>

using namespace runtime_test;

extern "C" int attend(const char *directory, uint64_t q, uint64_t k, uint64_t v,
                      uint64_t o, uint64_t lse, int64_t b, int64_t h, int64_t s,
                      void *stream);

namespace {
class ExampleTest : public RuntimeTest {};
} // namespace

TEST_F(ExampleTest, RunsFromC) {
  setenv("SPARSE_ATTN_LIBCUDA", SPARSE_ATTN_CUDA_DOUBLE, 1);
  Call call = makeLongformer(1, 2, 2, 256, 256);
  EXPECT_EQ(attend(getPackage().c_str(), call.arguments[0].data,
                   call.arguments[1].data, call.arguments[2].data,
                   call.results[0].data, call.results[1].data, 1, 2, 256,
                   nullptr),
            0);
  unsetenv("SPARSE_ATTN_LIBCUDA");
  EXPECT_EQ(cuda_double::getLaunches().size(), 2u);
}

// The text in the documentation is this file's.
TEST_F(ExampleTest, IsInTheDocumentation) {
  std::string text = readFile(SPARSE_ATTN_EXAMPLE);
  std::string docs = readFile(SPARSE_ATTN_RUNTIME_DOCS);
  EXPECT_NE(docs.find(text.substr(text.find("#define CHECK"))),
            std::string::npos);
}
