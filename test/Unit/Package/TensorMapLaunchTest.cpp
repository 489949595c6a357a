//===- TensorMapLaunchTest.cpp - A tensor map on its way to a kernel ------===//
//
// The driver double says what a kernel would have found in its parameter.
//
//===----------------------------------------------------------------------===//

#include "TensorMapTest.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

namespace {

TEST_F(TensorMapTest, ReachesTheKernel) {
  compile();
  write();
  ASSERT_EQ(launch(/*rows=*/100, /*stride=*/80), SPARSE_ATTN_SUCCESS)
      << message;
  std::vector<cuda_double::Launch> launches = cuda_double::getLaunches();
  ASSERT_EQ(launches.size(), 1u);
  ASSERT_EQ(launches[0].parameters.size(), 4u);
  EXPECT_EQ(launches[0].parameters[0].bits, 1024);
  ASSERT_TRUE(launches[0].parameters[0].map);
  const cuda_double::TensorMap &map = *launches[0].parameters[0].map;
  EXPECT_EQ(map.type, 9);
  EXPECT_EQ(map.rank, 3u);
  EXPECT_EQ(map.address, keys);
  EXPECT_EQ(map.sizes[0], 64u);
  EXPECT_EQ(map.sizes[1], 100u);
  EXPECT_EQ(map.sizes[2], 2u);
  EXPECT_EQ(map.strides[0], 160u);
  EXPECT_EQ(map.strides[1], 2u * kHeadStride);
  EXPECT_EQ(map.box[0], 64u);
  EXPECT_EQ(map.box[1], 64u);
  EXPECT_EQ(map.box[2], 1u);
  EXPECT_EQ(map.swizzle, 3);
  // Parameters behind it are where they belong.
  EXPECT_EQ(launches[0].parameters[2].value, 100u);
  EXPECT_EQ(launches[0].parameters[3].value, 80u);
}

TEST_F(TensorMapTest, IsOfResultsAndWorkspaces) {
  compile();
  getMap().isStrided = false;
  getMap().buffer = {BufferRef::Kind::Result, 0};
  write();
  ASSERT_EQ(launch(/*rows=*/100, /*stride=*/64), SPARSE_ATTN_SUCCESS)
      << message;
  std::optional<cuda_double::TensorMap> map = getLastMap();
  ASSERT_TRUE(map);
  EXPECT_EQ(map->address, output);
  EXPECT_EQ(map->strides[0], 128u);
  EXPECT_EQ(map->strides[1], 12800u);

  Program &program = packaged.program;
  program.workspaces = {program.arguments[0], program.arguments[0]};
  getMap().buffer = {BufferRef::Kind::Workspace, 1};
  std::get<PointerArgument>(program.launches[0].arguments[1]).buffer = {
      BufferRef::Kind::Workspace, 0};
  write();
  ASSERT_EQ(launch(/*rows=*/100, /*stride=*/64), SPARSE_ATTN_SUCCESS)
      << message;
  const cuda_double::Launch second = cuda_double::getLaunches()[1];
  ASSERT_TRUE(second.parameters[0].map);
  EXPECT_EQ(second.parameters[0].map->address,
            second.parameters[1].value + 2 * 2 * 100 * 64);

  cuda_double::failNext("cuTensorMapEncodeTiled", 1);
  expectError(SPARSE_ATTN_DRIVER_ERROR, launch(100, 64),
              "the workspace of 'f' gets no tensor map");
}

TEST_F(TensorMapTest, OfOneRowNeedsNoStride) {
  compile();
  write();
  ASSERT_EQ(launch(/*rows=*/1, /*stride=*/3), SPARSE_ATTN_SUCCESS) << message;
  ASSERT_TRUE(getLastMap());
  EXPECT_EQ(getLastMap()->strides[0], 128u);
}

TEST_F(TensorMapTest, OfNoRowsIsNotMade) {
  compile();
  write();
  ASSERT_EQ(launch(/*rows=*/0, /*stride=*/64), SPARSE_ATTN_SUCCESS) << message;
  EXPECT_FALSE(getLastMap());
  EXPECT_FALSE(
      llvm::is_contained(cuda_double::getCalls(), "cuTensorMapEncodeTiled"));
}

TEST_F(TensorMapTest, TakesTypesAndSwizzlesByTheDriversNumbers) {
  compile();
  const std::tuple<const char *, int64_t, int64_t, int, int> cases[] = {
      {"f16", 32, 64, 6, 2}, {"f32", 8, 32, 7, 1}, {"bf16", 128, 0, 9, 0}};
  for (auto [type, columns, swizzle, typeNumber, swizzleNumber] : cases) {
    getMap().elementType = type;
    getMap().box.back() = columns;
    getMap().swizzle = swizzle;
    write();
    ASSERT_EQ(launch(100, 64), SPARSE_ATTN_SUCCESS) << message;
    std::optional<cuda_double::TensorMap> map = getLastMap();
    ASSERT_TRUE(map);
    EXPECT_EQ(map->type, typeNumber);
    EXPECT_EQ(map->swizzle, swizzleNumber);
    EXPECT_EQ(map->box[0], columns);
  }
}

TEST_F(TensorMapTest, NeedsADriverThatMakesThem) {
  compile();
  write();
  cuda_double::setVersion(11080);
  expectError(
      SPARSE_ATTN_OLD_DRIVER, launch(100, 64),
      "the driver is of CUDA 11.8, and 'f' for sm_90 takes tensor maps, "
      "which drivers make from CUDA 12.0 on (cuTensorMapEncodeTiled); "
      "install a newer driver");
}

TEST_F(TensorMapTest, ReportsWhatTheDriverRefuses) {
  compile();
  write();
  cuda_double::failNext("cuTensorMapEncodeTiled", 1);
  expectError(SPARSE_ATTN_DRIVER_ERROR, launch(100, 64),
              "argument 0 of 'f' gets no tensor map");
}

TEST_F(TensorMapTest, SaysWhichRuleACallBreaks) {
  compile();
  const std::tuple<const char *, const char *, SparseAttnStatus, const char *>
      cases[] = {
          {R"({"dim":1}])", "60]", SPARSE_ATTN_MISALIGNED,
           "argument 0 of 'f' has a stride of 60 elements, and tensor maps "
           "need multiples of 16 bytes"},
          {R"({"dim":1}])", R"("arg0_dim1 * 8589934592"])",
           SPARSE_ATTN_TOO_LARGE,
           "argument 0 of 'f' has a stride of 858993459200 elements, and "
           "tensor maps know less than 2^40 bytes"},
          {R"({"dim":1}])", "-64]", SPARSE_ATTN_TOO_LARGE,
           "argument 0 of 'f' has a stride of -64 elements"},
          {R"("sizes":[2,"arg0_dim1")",
           R"("sizes":[2,"arg0_dim1 * 4294967296")", SPARSE_ATTN_TOO_LARGE,
           "argument 0 of 'f' has a size of 429496729600, and tensor maps know "
           "1 to 4294967296"},
          {R"("sizes":[2,"arg0_dim1")", R"("sizes":[2,-1)",
           SPARSE_ATTN_TOO_LARGE, "argument 0 of 'f' has a size of -1"},
      };
  for (auto [from, to, status, part] : cases) {
    write(from, to);
    expectError(status, launch(100, 64), part);
  }
}

TEST_F(TensorMapTest, NeedsAnAddressAtAMultipleOf16) {
  compile();
  write(R"("stride_multiple": 8)", R"("stride_multiple": 4)");
  misalignment = 8;
  expectError(SPARSE_ATTN_MISALIGNED, launch(100, 64),
              "argument 0 of 'f' starts 8 bytes past a multiple of 16, and "
              "tensor maps need one");
}

TEST_F(TensorMapTest, IsCheckedInManifests) {
  compile();
  const std::tuple<const char *, const char *, const char *> cases[] = {
      {R"({"argument":0,"box")", R"({"box")",
       "programs[0].variants[0].launches[0].arguments[0].tensor_map is of no "
       "buffer"},
      {R"("type":"bf16"})", R"("type":"i32"})",
       "tensor_map.type is of none of the types that maps have"},
      {R"("sizes":[2,"arg0_dim1",64])", R"("sizes":[])",
       "tensor_map.sizes does not have 1 to 5 formulas"},
      {R"("sizes":[2,"arg0_dim1",64])", R"("sizes":[1,1,1,1,1,64])",
       "tensor_map.sizes does not have 1 to 5 formulas"},
      {R"("strides":[{"dim":0},)", R"("strides":[)",
       "tensor_map.strides does not have one less than sizes"},
      {R"("strides":[{"dim":0},)", R"("strides":[{"dim":3},)",
       "tensor_map.strides[0].dim is a dimension that is not there"},
      {R"("box":[1,64,64])", R"("box":[1,64])",
       "tensor_map.box does not have as many as sizes"},
      {R"("box":[1,64,64])", R"("box":[1,64,257])",
       "tensor_map.box[2] is not an integer from 1 to 256"},
      {R"("swizzle":128)", R"("swizzle":96)",
       "tensor_map.swizzle is none of 0, 32, 64 and 128"},
      {R"("min_compute_capability": "9.0")",
       R"("min_compute_capability": "8.0")",
       "tensor_map is for compute capability 9.0 or later, and the target is "
       "older"},
  };
  for (auto [from, to, part] : cases) {
    write(from, to);
    expectError(SPARSE_ATTN_CORRUPT_PACKAGE, launch(100, 64), part);
  }
}

} // namespace
