#include "PlanOracle.h"
#include "gtest/gtest.h"
using namespace mlir::sparse_attn;
namespace {
LengthFacts known(int64_t nq, int64_t nk) { LengthFacts f; f.nq = nq; f.nk = nk; return f; }
void show(const char *name, const Mask &m, TileShape t, LengthFacts f) {
  Plan p = makePlan(m, t, f);
  llvm::errs() << "== " << name << (f.nq ? " static\n" : " dynamic\n") << textOf(p);
  Proof proof = provePlan(m, p, f, 2);
  llvm::errs() << int(proof.verdict) << " " << proof.reason << " " << proof.method << "\n";
}
TEST(X, Show) {
  for (auto f : {LengthFacts(), known(4096, 4096)}) {
  show("causal", Mask::causal(), {48, 64}, f);
  show("window", Mask::slidingWindow(256, 256), {48, 64}, f);
  show("longformer", longformer(512, {0}), {48, 64}, f);
  show("bigbird", bigBird(64, 3, 3, 0, 64), {64, 64}, f);
  show("streaming", streaming(4, 1024), {48, 64}, f);
  show("strided", Mask::intersectionOf({Mask::causal(), Mask::unionOf({Mask::slidingWindow(63, 0), Mask::strided(64)})}), {48, 64}, f);
  show("chunked", Mask::chunked(512), {64, 64}, f);
  show("prefix_lm", Mask::unionOf({Mask::causal(), Mask::prefix(100)}), {48, 64}, f);
  }
}
}
