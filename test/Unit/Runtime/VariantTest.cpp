//===- VariantTest.cpp - Launches that differ by sizes --------------------===//
//
// A package of the tests whose manifest is given more variants, and one of
// schema 2, which has none.
//
//===----------------------------------------------------------------------===//

#include "RuntimeTest.h"

using namespace runtime_test;
using Json = nlohmann::ordered_json;

namespace {
class VariantTest : public RuntimeTest {
protected:
  /// Adds variants before that for all sizes, each with its first launch only,
  /// for those sizes, with a grid of that many blocks.
  struct Added {
    Json when, grid;
  };
  static void addVariants(Json &manifest, const std::vector<Added> &added) {
    Json &variants = manifest["programs"][1]["variants"];
    Json all = variants[0];
    size_t at = 0;
    for (const Added &each : added) {
      Json variant = all;
      variant["when"] = each.when;
      variant["launches"] = Json::array({all["launches"][0]});
      variant["launches"][0]["grid"] = {each.grid, 1, 1};
      variant["workspace"]["bytes"] = 0;
      // What it would write there, too, is in a tensor.
      for (Json &argument : variant["launches"][0]["arguments"])
        if (argument.contains("workspace"))
          argument = {{"argument", 0}};
      variants.insert(variants.begin() + at++, variant);
    }
  }

  void use(const PackageCopy::Edit &edit, int multiprocessors = 132) {
    program.reset();
    cuda_double::Device device;
    device.multiprocessors = multiprocessors;
    cuda_double::reset({device});
    copy.editManifest(edit);
    package = open(copy.path);
    program = load(openDriver(), getFunction(package, "longformer"));
  }

  /// Blocks along x of the launches of a call.
  std::vector<unsigned> launchFor(int64_t sq, int64_t sk) {
    size_t before = cuda_double::getLaunches().size();
    Call call = makeLongformer(1, 2, 2, sq, sk);
    EXPECT_EQ(launch(program, call), SPARSE_ATTN_SUCCESS)
        << sparseAttnGetLastError();
    std::vector<unsigned> blocks;
    std::vector<cuda_double::Launch> launches = cuda_double::getLaunches();
    for (size_t i = before; i < launches.size(); ++i)
      blocks.push_back(launches[i].grid[0]);
    return blocks;
  }

  void expectRefused(const PackageCopy::Edit &edit,
                     const std::vector<std::string> &parts) {
    PackageCopy damaged;
    damaged.editManifest(edit);
    SparseAttnPackage *opened = nullptr;
    expectError(SPARSE_ATTN_CORRUPT_PACKAGE,
                sparseAttnPackageOpen(damaged.path.c_str(), &opened), parts);
  }

  void TearDown() override {
    program.reset();
    package.reset();
    RuntimeTest::TearDown();
  }

  PackageCopy copy;
  Package package;
  Program program;
};
} // namespace

TEST_F(VariantTest, LaunchesTheFirstThatTakesTheSizes) {
  use([](Json &json) {
    addVariants(json,
                {{"eq(Sq, Sk)", 5}, {"eq(Sk - floordiv(Sk, 64) * 64, 0)", 7}});
  });
  EXPECT_EQ(launchFor(64, 64), (std::vector<unsigned>{5}));
  EXPECT_EQ(launchFor(50, 50), (std::vector<unsigned>{5}));
  EXPECT_EQ(launchFor(50, 64), (std::vector<unsigned>{7}));
  // That for all sizes.
  EXPECT_EQ(launchFor(200, 190).size(), 2u);
}

TEST_F(VariantTest, KnowsTheDevice) {
  auto edit = [](Json &json) {
    addVariants(json, {{"lt(B * Hq * Sq, sm_count)", "sm_count + 1"}});
  };
  use(edit, /*multiprocessors=*/100);
  EXPECT_EQ(launchFor(49, 49), (std::vector<unsigned>{101}));
  EXPECT_NE(launchFor(50, 50), (std::vector<unsigned>{101}));
  // Without a device there is no telling.
  const SparseAttnFunction *function = getFunction(package, "longformer");
  Call call = makeLongformer(1, 2, 2, 49, 49);
  std::vector<SparseAttnTensor> views = getViews(call.arguments);
  SparseAttnLaunchInfo info;
  uint64_t bytes = 0;
  std::vector<std::string> parts = {
      "'longformer' launches for sm_90a depends on the number of the device's "
      "multiprocessors; load it"};
  expectError(
      SPARSE_ATTN_INVALID_ARGUMENT,
      sparseAttnFunctionGetLaunch(function, 1, views.data(), 3, 0, &info),
      parts);
  expectError(
      SPARSE_ATTN_INVALID_ARGUMENT,
      sparseAttnFunctionGetWorkspaceBytes(function, 1, views.data(), 3, &bytes),
      parts);
  // The other chip's code does not depend on it.
  EXPECT_EQ(
      sparseAttnFunctionGetWorkspaceBytes(function, 0, views.data(), 3, &bytes),
      SPARSE_ATTN_SUCCESS);
}

TEST_F(VariantTest, TakesTheWorkspaceOfItsLaunches) {
  use([](Json &json) { addVariants(json, {{"eq(Sq, 300)", 5}}); });
  EXPECT_EQ(getWorkspaceBytes(program, makeLongformer(1, 2, 2, 300, 300)), 0u);
  EXPECT_GT(getWorkspaceBytes(program, makeLongformer(1, 2, 2, 299, 299)), 0u);
  // One that a call does not take has no blocks.
  const SparseAttnFunction *function = getFunction(package, "longformer");
  ASSERT_EQ(sparseAttnFunctionGetNumLaunches(function, 1), 3);
  for (int64_t rows : {299, 300}) {
    Call call = makeLongformer(1, 2, 2, rows, rows);
    std::vector<SparseAttnTensor> views = getViews(call.arguments);
    for (int i = 0; i < 3; ++i) {
      SparseAttnLaunchInfo info;
      ASSERT_EQ(
          sparseAttnFunctionGetLaunch(function, 1, views.data(), 3, i, &info),
          SPARSE_ATTN_SUCCESS);
      EXPECT_EQ(info.grid[0] > 0, (i == 0) == (rows == 300)) << i;
    }
  }
}

TEST_F(VariantTest, SaysWhichSizesNoneTakes) {
  use([](Json &json) {
    json["programs"][1]["variants"][0]["when"] = "eq(Sq, Sk)";
  });
  EXPECT_EQ(launchFor(64, 64).size(), 2u);
  Call call = makeLongformer(1, 4, 2, 64, 65);
  std::vector<std::string> parts = {
      "no variant of 'longformer' for sm_90a takes the sizes B = 1, Hq = 4, Sq "
      "= 64, Hkv = 2, Sk = 65, sm_count = 132; give others, or write the "
      "package anew with sparse-attn-compile"};
  expectError(SPARSE_ATTN_WRONG_SHAPE, launch(program, call), parts);
  std::vector<SparseAttnTensor> views = getViews(call.arguments);
  uint64_t bytes = 0;
  expectError(SPARSE_ATTN_WRONG_SHAPE,
              sparseAttnProgramGetWorkspaceBytes(program.get(), views.data(), 3,
                                                 &bytes),
              parts);
}

TEST_F(VariantTest, RefusesVariantsThatAreNone) {
  const std::string variants = "manifest.json: programs[1].variants";
  auto refuse = [&](const PackageCopy::Edit &edit, const std::string &what) {
    expectRefused(edit, {variants + what, "write the package anew"});
  };
  refuse([](Json &json) { json["programs"][1]["variants"] = Json::array(); },
         " is empty");
  refuse([](Json &json) { addVariants(json, {{1, 5}}); },
         "[1] is never launched: the variant before it takes all sizes");
  refuse([](Json &json) { addVariants(json, {{0, 5}}); },
         "[0].when is 0, so that the variant is never launched");
  refuse([](Json &json) { addVariants(json, {{"eq(Sx, Sk)", 5}}); },
         "[0].when the formula 'eq(Sx, Sk)' has at byte 5: unknown size 'Sx'");
  refuse([](Json &json) { json["programs"][1]["variants"][0].erase("when"); },
         "[0].when is missing");
  refuse(
      [](Json &json) { json["programs"][1]["variants"][0].erase("launches"); },
      "[0].launches is missing");
  expectRefused(
      [](Json &json) { json["programs"][1]["sizes"][0]["name"] = "sm_count"; },
      {"programs[1].sizes[0].name is the name of the device's "
       "multiprocessors"});
}

TEST_F(VariantTest, KnowsTheTypesOfData) {
  auto setRole = [](const std::string &role, const std::string &type,
                    const Json &shape) {
    return [=](Json &json) {
      Json &tensor = json["programs"][1]["arguments"][2];
      tensor["roles"] = {role};
      tensor["type"] = type;
      tensor["shape"] = shape;
      json["programs"][1]["variants"][0]["launches"] = Json::array();
      json["programs"][1]["sizes"][0]["from"].erase(2);
      json["programs"][1]["sizes"][3]["from"].erase(1);
      json["programs"][1]["sizes"][4]["from"].erase(1);
      json["programs"].erase(0);
      for (size_t i = json["programs"].size(); i-- > 1;)
        json["programs"].erase(i);
    };
  };
  const struct {
    const char *role, *type;
    Json shape;
  } known[] = {{"documents", "i32", {"B", "Sk"}},
               {"query_lengths", "i32", {"B"}},
               {"key_lengths", "i32", {"B"}},
               {"key_begin", "i32", {"B"}},
               {"global_tokens", "i32", {"B", 5}},
               {"query_position", "i64", Json::array()},
               {"key_position", "i64", {"B"}},
               {"block_table", "i32", {"B", "Hq", 8, 3}},
               {"page_table", "i32", {"B", 9}},
               {"sinks", "f32", {"Hq"}},
               {"bias", "f32", {"B", "Hq", "Sq", "Sk"}},
               {"slopes", "f32", {"Hq"}},
               {"extra", "i8", {1, 2, 3}},
               {"of another dialect", "f64", {1}}};
  for (const auto &each : known) {
    PackageCopy edited;
    edited.editManifest(setRole(each.role, each.type, each.shape));
    Package opened = open(edited.path);
    SparseAttnTensorInfo info;
    ASSERT_EQ(sparseAttnFunctionGetArgument(getFunction(opened, "longformer"),
                                            2, &info),
              SPARSE_ATTN_SUCCESS);
    EXPECT_STREQ(info.roles[0], each.role);
  }
  expectRefused(setRole("key_lengths", "i64", {"B"}),
                {"arguments[2].roles[0] is 'key_lengths', which has elements "
                 "of i32 and rank 1, and not of i64 and rank 1"});
  expectRefused(setRole("query_position", "i64", {"B", 1}),
                {"is 'query_position', which has elements of i64 and rank 0 "
                 "to 1, and not of i64 and rank 2"});
}

// Written by the compiler before there were variants.
TEST_F(VariantTest, LaunchesPackagesOfSchema2) {
  Package old = open(SPARSE_ATTN_INPUTS "/schema2");
  const SparseAttnFunction *function = getFunction(old, "longformer");
  ASSERT_EQ(sparseAttnFunctionGetNumLaunches(function, 0), 3);
  Program loaded = load(openDriver(), function);
  Call call;
  for (int i = 0; i < 4; ++i)
    call.arguments.push_back({SPARSE_ATTN_F16,
                              {1, 1, 100, 16},
                              {},
                              cuda_double::allocate(0, 100 * 16 * 2)});
  call.results = {call.arguments[3]};
  // A row in two parts, of a maximum, 16 columns and a sum, each in buffers at
  // multiples of 256 bytes.
  EXPECT_EQ(getWorkspaceBytes(loaded, call), 256u + 2 * 16 * 16 * 4 + 256);
  uint64_t workspace = cuda_double::allocate(0, 4096);
  ASSERT_EQ(launch(loaded, call, workspace, 4096), SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  std::vector<cuda_double::Launch> launches = cuda_double::getLaunches();
  ASSERT_EQ(launches.size(), 3u);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(launches[i].kernel, "longformer_" + std::to_string(i));
  EXPECT_EQ(launches[0].grid[0], 7u);
  EXPECT_EQ(launches[1].grid[0], 2u);
  EXPECT_EQ(launches[2].grid[0], 1u);
  EXPECT_EQ(launches[0].parameters[0].value, call.arguments[0].data);
  EXPECT_EQ(launches[2].parameters[2].value, workspace);
  EXPECT_EQ(launches[2].parameters[4].value, workspace + 256);
}
