//===- ManifestFuzzTest.cpp - Manifests with a few bytes changed ----------===//
//
// Whatever a manifest says, opening it ends with a status and a message, and
// what has been opened can be described and evaluated. For long runs:
// SPARSE_ATTN_FUZZ_CASES and SPARSE_ATTN_FUZZ_SEED.
//
//===----------------------------------------------------------------------===//

#include "FuzzOptions.h"
#include "RuntimeTest.h"
#include <random>

using namespace runtime_test;
using mlir::sparse_attn::test::fuzzCases;
using mlir::sparse_attn::test::fuzzOption;

/// Bytes that mean something in JSON and in formulas.
static void change(std::string &text, std::mt19937_64 &random) {
  static const std::string bytes = "0123456789-+*.,:\"[]{}() BSqe\\\n\xff";
  for (uint64_t n = 1 + random() % 3; n > 0; --n) {
    size_t at = random() % text.size();
    char byte = bytes[random() % bytes.size()];
    switch (random() % 3) {
    case 0:
      text[at] = byte;
      break;
    case 1:
      text.erase(at, 1 + random() % 4);
      break;
    default:
      text.insert(at, 1, byte);
    }
  }
}

/// Everything that can be asked without a driver.
static void useFunctions(const SparseAttnPackage *package) {
  Call call = makeLongformer(1, 2, 2, 300, 300);
  std::vector<SparseAttnTensor> views = getViews(call.arguments);
  for (int32_t i = 0; i < sparseAttnPackageGetNumFunctions(package); ++i) {
    const SparseAttnFunction *f = sparseAttnPackageGetFunction(package, i);
    SparseAttnTensorInfo tensor;
    for (int32_t r = 0; r < sparseAttnFunctionGetNumResults(f); ++r) {
      ASSERT_EQ(sparseAttnFunctionGetResult(f, r, &tensor), 0);
      std::vector<int64_t> shape(tensor.rank + 1);
      sparseAttnFunctionGetResultShape(f, views.data(), 3, r, shape.data());
    }
    for (int32_t v = 0; v < sparseAttnFunctionGetNumVariants(f); ++v) {
      uint64_t bytes;
      sparseAttnFunctionGetWorkspaceBytes(f, v, views.data(), 3, &bytes);
      SparseAttnLaunchInfo launch;
      for (int32_t l = 0; l < sparseAttnFunctionGetNumLaunches(f, v); ++l)
        sparseAttnFunctionGetLaunch(f, v, views.data(), 3, l, &launch);
    }
  }
}

TEST(ManifestFuzz, EndsWithAStatus) {
  TemporaryDirectory directory;
  auto manifest =
      nlohmann::ordered_json::parse(readFile(getPackage() / "manifest.json"));
  for (auto &program : manifest["programs"])
    program["files"] = nlohmann::json::array();
  // As for the host, with less.
  for (auto program : manifest["programs"]) {
    if (program["target"]["chip"] != "sm_80")
      continue;
    program.erase("variants");
    program["target"] = {{"cpu", "x86-64-v3"}};
    program["entry"] = "entry";
    manifest["host_programs"].push_back(program);
  }
  const std::string text = manifest.dump();
  std::mt19937_64 random(fuzzOption("SPARSE_ATTN_FUZZ_SEED", 1));
  uint64_t numOpened = 0, cases = fuzzCases(1000);
  for (uint64_t i = 0; i < cases; ++i) {
    std::string changed = text;
    change(changed, random);
    writeFile(directory.path / "manifest.json", changed);
    SparseAttnPackage *opened = nullptr;
    SparseAttnStatus status =
        sparseAttnPackageOpen(directory.path.c_str(), &opened);
    Package package(opened);
    if (status == SPARSE_ATTN_SUCCESS) {
      ++numOpened;
      useFunctions(opened);
      continue;
    }
    ASSERT_EQ(opened, nullptr);
    bool isExpected = status == SPARSE_ATTN_CORRUPT_PACKAGE ||
                      status == SPARSE_ATTN_UNKNOWN_SCHEMA;
    ASSERT_TRUE(isExpected) << sparseAttnGetStatusName(status);
    ASSERT_STRNE(sparseAttnGetLastError(), "");
  }
  // Some changes are harmless, and most are not.
  EXPECT_GT(numOpened, cases / 100);
  EXPECT_LT(numOpened, cases / 2);
}
