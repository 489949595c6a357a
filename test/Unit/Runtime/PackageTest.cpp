//===- PackageTest.cpp - Opening packages, choosing functions -------------===//

#include "../../../lib/Runtime/Sha256.h"
#include "RuntimeTest.h"
#include <sstream>

using namespace runtime_test;
using Json = nlohmann::ordered_json;

namespace {
class PackageTest : public RuntimeTest {
protected:
  static void expectRefused(const std::filesystem::path &path,
                            SparseAttnStatus expected,
                            const std::vector<std::string> &parts) {
    auto *untouched = reinterpret_cast<SparseAttnPackage *>(&expected);
    SparseAttnPackage *package = untouched;
    expectError(expected, sparseAttnPackageOpen(path.c_str(), &package), parts);
    EXPECT_EQ(package, untouched);
  }

  static void
  expectRefused(const PackageCopy::Edit &edit,
                const std::vector<std::string> &parts,
                SparseAttnStatus expected = SPARSE_ATTN_CORRUPT_PACKAGE) {
    PackageCopy copy;
    copy.editManifest(edit);
    expectRefused(copy.path, expected, parts);
  }

  /// The function's name, or the error's.
  static std::string find(const Package &package, const Call &call) {
    std::vector<SparseAttnTensor> views = getViews(call.arguments);
    const SparseAttnFunction *function = nullptr;
    SparseAttnStatus status = sparseAttnPackageFindFunction(
        package.get(), views.data(), static_cast<int32_t>(views.size()),
        &function);
    return status ? sparseAttnGetStatusName(status)
                  : sparseAttnFunctionGetName(function);
  }
};
} // namespace

TEST_F(PackageTest, ListsFunctionsWithTheirChips) {
  Package package = open(getPackage());
  std::vector<std::string> names;
  for (int i = 0; i < sparseAttnPackageGetNumFunctions(package.get()); ++i)
    names.push_back(sparseAttnFunctionGetName(
        sparseAttnPackageGetFunction(package.get(), i)));
  EXPECT_EQ(names,
            (std::vector<std::string>{"longformer", "causal", "causal_256"}));
  EXPECT_EQ(sparseAttnPackageGetFunction(package.get(), 3), nullptr);
  EXPECT_EQ(sparseAttnPackageGetFunction(package.get(), -1), nullptr);
  const SparseAttnFunction *function = getFunction(package, "longformer");
  ASSERT_EQ(sparseAttnFunctionGetNumVariants(function), 2);
  EXPECT_STREQ(sparseAttnFunctionGetChip(function, 0), "sm_80");
  EXPECT_STREQ(sparseAttnFunctionGetChip(function, 1), "sm_90a");
  EXPECT_EQ(sparseAttnFunctionGetChip(function, 2), nullptr);
  EXPECT_EQ(sparseAttnFunctionGetNumLaunches(function, 0), 2);
  EXPECT_EQ(sparseAttnFunctionGetNumLaunches(function, 2), 0);
  expectError(
      SPARSE_ATTN_NOT_FOUND,
      sparseAttnPackageGetFunctionNamed(package.get(), "bigbird", &function),
      {"no function 'bigbird'", "it has 'longformer', 'causal', 'causal_256'"});
}

TEST_F(PackageTest, QuotesNamesOnOneLine) {
  PackageCopy copy;
  copy.editManifest([](Json &json) {
    for (Json &program : json["programs"])
      if (program["name"] == "causal")
        program["name"] = "two\nlines\t\\";
  });
  Package package = open(copy.path);
  const SparseAttnFunction *function = getFunction(package, "two\nlines\t\\");
  EXPECT_STREQ(sparseAttnFunctionGetName(function), "two\nlines\t\\");
  expectError(
      SPARSE_ATTN_NOT_FOUND,
      sparseAttnPackageGetFunctionNamed(package.get(), "\x7f", &function),
      {"no function '\\x7f'", "'longformer', 'two\\nlines\\x09\\\\', "});
}

TEST_F(PackageTest, DescribesTensors) {
  Package package = open(getPackage());
  const SparseAttnFunction *function = getFunction(package, "longformer");
  ASSERT_EQ(sparseAttnFunctionGetNumArguments(function), 3);
  ASSERT_EQ(sparseAttnFunctionGetNumResults(function), 2);
  SparseAttnTensorInfo info;
  ASSERT_EQ(sparseAttnFunctionGetArgument(function, 1, &info), 0);
  EXPECT_EQ(info.type, SPARSE_ATTN_BF16);
  ASSERT_EQ(info.rank, 4);
  EXPECT_EQ(std::vector<int64_t>(info.shape, info.shape + 4),
            (std::vector<int64_t>{-1, -1, -1, 64}));
  EXPECT_EQ(std::vector<std::string>(info.sizes, info.sizes + 4),
            (std::vector<std::string>{"B", "Hkv", "Sk", "64"}));
  ASSERT_EQ(info.numRoles, 1);
  EXPECT_STREQ(info.roles[0], "key");
  ASSERT_EQ(sparseAttnFunctionGetResult(function, 1, &info), 0);
  EXPECT_EQ(info.type, SPARSE_ATTN_F32);
  EXPECT_STREQ(info.roles[0], "lse");
  EXPECT_EQ(info.inArgument, -1);
  EXPECT_EQ(info.inResult, -1);
  ASSERT_EQ(
      sparseAttnFunctionGetResult(getFunction(package, "causal"), 0, &info), 0);
  EXPECT_EQ(info.inArgument, 3);
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnFunctionGetArgument(function, 3, &info),
              {"there is no argument 3, of 3"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnFunctionGetResult(function, -1, &info),
              {"there is no result -1, of 2"});
}

TEST_F(PackageTest, FindsTheFunctionOfTypesAndShapes) {
  Package package = open(getPackage());
  EXPECT_EQ(find(package, makeLongformer(2, 4, 2, 512, 512)), "longformer");
  EXPECT_EQ(find(package, makeCausal(2, 128)), "causal");
  // Fixed sizes come first, though later in the package.
  EXPECT_EQ(find(package, makeCausal(2, 256)), "causal_256");
  Call call = makeCausal(2, 256);
  call.arguments[1].shape[1] = 5;
  EXPECT_EQ(find(package, call), "NOT_FOUND");
  expectError(
      SPARSE_ATTN_NOT_FOUND, SPARSE_ATTN_NOT_FOUND,
      {"no function of the package takes these arguments: it has 'longformer', "
       "'causal', 'causal_256'; 'longformer' has 3 arguments, 4 were given",
       "argument 1 (key) of 'causal' has size 5 in dimension 1, expected 4",
       "argument 1 (key) of 'causal_256' has size 5"});
}

/// A function again, by another name.
static void duplicate(
    const PackageCopy &copy, const std::string &name,
    const PackageCopy::Edit &edit = [](auto &) {}) {
  copy.editManifest([&](nlohmann::ordered_json &json) {
    nlohmann::ordered_json added = nlohmann::ordered_json::array();
    for (auto program : json["programs"])
      if (program["name"] == name) {
        program["name"] = name + "_again";
        edit(program);
        added.push_back(program);
      }
    for (auto &program : added)
      json["programs"].push_back(program);
  });
}

TEST_F(PackageTest, DoesNotGuessBetweenEqualFunctions) {
  PackageCopy copy;
  duplicate(copy, "causal");
  Package package = open(copy.path);
  EXPECT_EQ(find(package, makeCausal(2, 128)), "AMBIGUOUS");
  expectError(
      SPARSE_ATTN_AMBIGUOUS, SPARSE_ATTN_AMBIGUOUS,
      {"several functions of the package take these arguments, and none of "
       "them takes fewer than the others: 'causal', 'causal_again'; choose one "
       "by its name"});
  // One that takes fewer than both is no guess, nor is one of other types.
  EXPECT_EQ(find(package, makeCausal(2, 256)), "causal_256");
  EXPECT_EQ(find(package, makeLongformer(2, 4, 2, 512, 512)), "longformer");
}

// Sizes that have to be equal make a function that takes fewer, too.
TEST_F(PackageTest, PrefersTheFunctionOfFewerShapes) {
  PackageCopy copy;
  duplicate(copy, "longformer", [](nlohmann::ordered_json &program) {
    // As many queries as keys.
    for (auto *tensors : {&program["arguments"], &program["results"]})
      for (auto &tensor : *tensors)
        for (auto &size : tensor["shape"])
          if (size == "Sk")
            size = "Sq";
    for (auto &size : program["sizes"])
      if (size["name"] == "Sq")
        for (int i : {1, 2})
          size["from"].push_back({{"argument", i}, {"dim", 2}});
  });
  Package package = open(copy.path);
  EXPECT_EQ(find(package, makeLongformer(2, 4, 2, 512, 512)),
            "longformer_again");
  EXPECT_EQ(find(package, makeLongformer(2, 4, 2, 500, 512)), "longformer");
}

TEST_F(PackageTest, TakesTheSequenceBeforeTheHeads) {
  Package package = open(getPackage());
  Call call = makeCausal(2, 128);
  for (Tensor &tensor : call.arguments) {
    std::swap(tensor.shape[1], tensor.shape[2]);
    tensor.type |= SPARSE_ATTN_BSHD;
  }
  EXPECT_EQ(find(package, call), "causal");
  call.arguments[1].shape[2] = 5;
  EXPECT_EQ(find(package, call), "NOT_FOUND");
  expectError(
      SPARSE_ATTN_NOT_FOUND, SPARSE_ATTN_NOT_FOUND,
      {"argument 1 (key) of 'causal' has size 5 in dimension 2, expected 4"});
}

TEST_F(PackageTest, TellsItsHash) {
  Package package = open(getPackage());
  std::string hash = sparseAttnPackageGetSha256(package.get());
  EXPECT_EQ(hash, sparse_attn::runtime::sha256(
                      readFile(getPackage() / "manifest.json")));
  EXPECT_EQ(sparseAttnPackageGetSha256(nullptr), nullptr);
}

TEST_F(PackageTest, EvaluatesFormulas) {
  Package package = open(getPackage());
  const SparseAttnFunction *function = getFunction(package, "longformer");
  Call call = makeLongformer(2, 4, 2, 1000, 1200);
  std::vector<SparseAttnTensor> views = getViews(call.arguments);
  int64_t shape[3] = {};
  ASSERT_EQ(
      sparseAttnFunctionGetResultShape(function, views.data(), 3, 1, shape),
      SPARSE_ATTN_SUCCESS);
  EXPECT_EQ(std::vector<int64_t>(shape, shape + 3),
            (std::vector<int64_t>{2, 4, 1000}));
  SparseAttnLaunchInfo info;
  ASSERT_EQ(sparseAttnFunctionGetLaunch(function, 0, views.data(), 3, 0, &info),
            SPARSE_ATTN_SUCCESS);
  EXPECT_STREQ(info.kernel, "longformer_0");
  EXPECT_EQ(info.grid[0], 8 * 4 * 2); // 1000 / 128, up
  EXPECT_EQ(info.grid[1], 1);
  EXPECT_EQ(info.grid[2], 1);
  // More heads and batches than a device takes blocks along y or z.
  Call large = makeLongformer(70000, 3, 3, 1, 1);
  views = getViews(large.arguments);
  for (uint32_t i : {0, 1}) {
    ASSERT_EQ(
        sparseAttnFunctionGetLaunch(function, 0, views.data(), 3, i, &info),
        SPARSE_ATTN_SUCCESS);
    EXPECT_EQ(info.grid[0], i == 0 ? (8 / 4 + 1) * 210000 : 64 / 8 * 210000);
    EXPECT_EQ(info.grid[1], 1);
    EXPECT_EQ(info.grid[2], 1);
  }
  views = getViews(call.arguments);
  uint64_t bytes = 1;
  ASSERT_EQ(
      sparseAttnFunctionGetWorkspaceBytes(function, 0, views.data(), 3, &bytes),
      SPARSE_ATTN_SUCCESS);
  // Fewer queries than keys: the global token has no row.
  EXPECT_EQ(bytes, 0u);
  call = makeLongformer(2, 4, 2, 1200, 1200);
  views = getViews(call.arguments);
  ASSERT_EQ(
      sparseAttnFunctionGetWorkspaceBytes(function, 0, views.data(), 3, &bytes),
      SPARSE_ATTN_SUCCESS);
  // 16 rows in 8 parts, of 8 heads: maxima, sums and 64 columns.
  EXPECT_EQ(bytes, 8u * 8 * 16 * 4 * (1 + 1 + 64));
}

TEST_F(PackageTest, RefusesMissingFiles) {
  expectRefused(
      "/nonexistent/package", SPARSE_ATTN_FILE_ERROR,
      {"/nonexistent/package is not a directory", "sparse-attn-compile"});
  TemporaryDirectory empty;
  expectRefused(empty.path, SPARSE_ATTN_FILE_ERROR,
                {"manifest.json: No such file or directory"});
  for (const char *kind : {"ptx", "header"}) {
    PackageCopy copy;
    std::string name = copy.getFile(1, kind);
    std::filesystem::remove(copy.path / name);
    expectRefused(copy.path, SPARSE_ATTN_FILE_ERROR,
                  {name + ": No such file or directory"});
    std::filesystem::create_directory(copy.path / name);
    expectRefused(copy.path, SPARSE_ATTN_FILE_ERROR, {name + " is not a file"});
  }
}

TEST_F(PackageTest, RefusesFilesThatHaveChanged) {
  for (const char *kind : {"ptx", "header"}) {
    PackageCopy copy;
    std::string name = copy.getFile(0, kind);
    std::string contents = readFile(copy.path / name);
    std::string flipped = contents;
    flipped[flipped.size() / 2] ^= 1;
    writeFile(copy.path / name, flipped);
    expectRefused(copy.path, SPARSE_ATTN_CORRUPT_PACKAGE,
                  {name + " has SHA-256 ", "the manifest says",
                   "copy the package again"});
    writeFile(copy.path / name, contents.substr(1));
    expectRefused(copy.path, SPARSE_ATTN_CORRUPT_PACKAGE,
                  {name + " has " + std::to_string(contents.size() - 1) +
                   " bytes, the manifest says " +
                   std::to_string(contents.size())});
  }
}

TEST_F(PackageTest, RefusesAnotherSchema) {
  expectRefused(
      [](Json &json) { json["schema_version"] = 4; },
      {"manifest.json has schema_version 4, this runtime reads 2 and 3"},
      SPARSE_ATTN_UNKNOWN_SCHEMA);
  expectRefused(
      [](Json &json) { json["schema_version"] = 1; },
      {"manifest.json has schema_version 1, this runtime reads 2 and 3; use "},
      SPARSE_ATTN_UNKNOWN_SCHEMA);
}

TEST_F(PackageTest, RefusesWhatIsNoManifest) {
  PackageCopy copy;
  std::string text = readFile(copy.path / "manifest.json");
  for (const std::string &bad :
       {std::string(), std::string("{"), text.substr(0, text.size() / 2),
        "\xff" + text, std::string(100000, '[')}) {
    writeFile(copy.path / "manifest.json", bad);
    expectRefused(copy.path, SPARSE_ATTN_CORRUPT_PACKAGE,
                  {"manifest.json is not JSON"});
  }
  std::filesystem::resize_file(copy.path / "manifest.json", (64 << 20) + 1);
  expectRefused(copy.path, SPARSE_ATTN_CORRUPT_PACKAGE,
                {"manifest.json has 67108865 bytes, more than any"});
}

TEST_F(PackageTest, RefusesNamesOutsideThePackage) {
  for (const char *name : {"../x.ptx", "/etc/passwd", "", ".", "..", "a\\b"})
    expectRefused(
        [&](Json &json) { json["programs"][0]["files"][0]["name"] = name; },
        {"manifest.json: programs[0].files[0].name is not the name of a file "
         "in the package"});
}

TEST_F(PackageTest, RefusesWrongEntries) {
  auto at = [](const char *pointer, const Json &value) {
    return [=](Json &json) {
      Json *entry = &json["programs"][0];
      std::istringstream keys(pointer);
      for (std::string key; std::getline(keys, key, '/');)
        entry = entry->is_array() ? &(*entry)[std::stoul(key)] : &(*entry)[key];
      *entry = value;
    };
  };
  const struct {
    const char *pointer;
    Json value;
    const char *message;
  } cases[] = {
      {"name", 5, "programs[0].name is not a string"},
      {"name", std::string("a\0b", 3), "programs[0].name has a character 0"},
      {"target/this_chip_only", 0,
       "programs[0].target.this_chip_only is neither true nor false"},
      {"target/min_compute_capability", "8",
       "min_compute_capability is not a version such as \"8.0\""},
      {"target/ptx_version", "8.x", "ptx_version is not a version"},
      {"files", Json::object(), "programs[0].files is not a list"},
      {"files/0/size", -1,
       "files[0].size is not an integer from 0 to 1073741824"},
      {"files/0/size", 18446744073709551615u, "files[0].size is not an"},
      {"sizes/1/name", "B", "sizes[1].name names a size twice"},
      {"sizes/0/from", Json::array(), "sizes[0].from is empty"},
      {"sizes/0/from/0/argument", 3,
       "sizes refers to a dimension that is not there"},
      {"sizes/0/from/0/dim", 4,
       "sizes refers to a dimension that is not there"},
      {"alignment", 0, "alignment is not an integer from 1 to 4096"},
      {"arguments/0/type", "f8",
       "arguments[0].type is 'f8', which this "
       "runtime cannot pass"},
      {"arguments/0/layout", "tiled",
       "arguments[0].layout is neither \"dense\" nor \"strided\""},
      {"arguments/0/stride_multiple", 0,
       "arguments[0].stride_multiple is not an integer from 1 to 4096"},
      {"variants/0/launches/0/arguments/0",
       Json{{"stride", {{"workspace", 0}, {"dim", 0}}}},
       "arguments[0].stride is of neither an argument nor a result"},
      {"variants/0/launches/0/arguments/0",
       Json{{"stride", {{"result", 1}, {"dim", 3}}}},
       "arguments[0].stride.dim is a dimension that is not there"},
      {"arguments/0/shape/0", "Bq",
       "arguments[0].shape[0] the formula 'Bq' has at byte 2: unknown size"},
      {"arguments/0/shape/0", 1.5, "arguments[0].shape[0] is not an integer"},
      {"results/0/buffer", Json{{"workspace", 0}},
       "results[0].buffer is neither an argument nor this or an earlier"},
      {"results/0/buffer", Json{{"result", 1}},
       "results[0].buffer is neither an argument nor this or an earlier"},
      {"variants/0/launches/0/grid", Json{1, 1},
       "grid does not have 3 formulas"},
      {"variants/0/launches/0/arguments/0", Json{{"argument", 3}},
       "launches[0].arguments[0].argument is 3, of 3"},
      {"variants/0/launches/1/arguments/2", Json{{"workspace", 9}},
       "launches[1].arguments[2].workspace is 9, of 3"},
      {"variants/0/launches/0/arguments/0", Json{{"f32", 1}},
       "launches[0].arguments[0].i32 is missing"}};
  for (const auto &wrong : cases)
    expectRefused(at(wrong.pointer, wrong.value),
                  {wrong.message, "write the package anew"});
}

TEST_F(PackageTest, RefusesMissingEntries) {
  // Every key of a program but those that only people read.
  Json manifest = Json::parse(readFile(getPackage() / "manifest.json"));
  for (const auto &[key, value] : manifest["programs"][0].items()) {
    if (key == "options" || key == "attentions" || key == "numerics")
      continue;
    expectRefused([&key = key](Json &json) { json["programs"][0].erase(key); },
                  {"programs[0]." + key + " is missing"});
  }
  expectRefused([](Json &json) { json.erase("programs"); },
                {"manifest.json: programs is missing"});
  expectRefused([](Json &json) { json = Json::array(); },
                {"manifest.json: schema_version is missing"});
}

TEST_F(PackageTest, RefusesProgramsThatDisagree) {
  expectRefused([](Json &json) { json["programs"][1] = json["programs"][0]; },
                {"function 'longformer' is there twice for sm_80"});
  expectRefused(
      [](Json &json) { json["programs"][1]["arguments"][0]["type"] = "f16"; },
      {"function 'longformer' takes or gives other tensors for sm_90a than for "
       "sm_80"});
}

TEST_F(PackageTest, ReportsNullPointers) {
  Package package = open(getPackage());
  const SparseAttnFunction *function = nullptr;
  SparseAttnPackage *opened = nullptr;
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnPackageOpen(nullptr, &opened), {"directory is null"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT, sparseAttnPackageOpen("", nullptr),
              {"package is null"});
  expectError(
      SPARSE_ATTN_INVALID_ARGUMENT,
      sparseAttnPackageGetFunctionNamed(package.get(), nullptr, &function),
      {"name is null"});
  expectError(
      SPARSE_ATTN_NOT_FOUND,
      sparseAttnPackageFindFunction(package.get(), nullptr, 3, &function),
      {"the list of arguments is null"});
  function = getFunction(package, "longformer");
  Call call = makeLongformer(1, 2, 2, 256, 256);
  std::vector<SparseAttnTensor> views = getViews(call.arguments);
  SparseAttnLaunchInfo info;
  expectError(
      SPARSE_ATTN_INVALID_ARGUMENT,
      sparseAttnFunctionGetLaunch(function, 2, views.data(), 3, 0, &info),
      {"there is no variant 2, of 2"});
  expectError(
      SPARSE_ATTN_INVALID_ARGUMENT,
      sparseAttnFunctionGetLaunch(function, 0, views.data(), 3, 2, &info),
      {"there is no launch 2, of 2"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnFunctionGetWorkspaceBytes(function, 0, views.data(), 3,
                                                  nullptr),
              {"bytes is null"});
  expectError(
      SPARSE_ATTN_INVALID_ARGUMENT,
      sparseAttnFunctionGetResultShape(function, views.data(), 3, 0, nullptr),
      {"shape is null"});
  EXPECT_EQ(sparseAttnProgramGetVariant(nullptr), -1);
  EXPECT_EQ(sparseAttnProgramIsCubin(nullptr), 0);
  EXPECT_EQ(sparseAttnPackageGetNumFunctions(nullptr), 0);
  EXPECT_EQ(sparseAttnFunctionGetName(nullptr), nullptr);
  EXPECT_EQ(sparseAttnFunctionGetNumArguments(nullptr), 0);
  sparseAttnPackageClose(nullptr);
  sparseAttnDriverClose(nullptr);
  sparseAttnProgramUnload(nullptr);
}

TEST_F(PackageTest, NamesEveryStatus) {
  for (int i = 0; i <= SPARSE_ATTN_AMBIGUOUS; ++i)
    EXPECT_STRNE(sparseAttnGetStatusName(SparseAttnStatus(i)),
                 "unknown status");
  EXPECT_STREQ(sparseAttnGetStatusName(SparseAttnStatus(31)), "unknown status");
  EXPECT_STREQ(sparseAttnGetStatusName(SPARSE_ATTN_DRIVER_ERROR),
               "DRIVER_ERROR");
}
