//===- TensorMapTest.cpp - What a package says of a tensor map ------------===//

#include "TensorMapTest.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

namespace {

TEST_F(TensorMapTest, IsAParameterOf128Bytes) {
  compile();
  EXPECT_NE(packaged.ptx.find(".param .align 64 .b8 f_0_param_0[128]"),
            std::string::npos)
      << packaged.ptx;
  EXPECT_NE(packaged.ptx.find("cp.async.bulk.tensor.3d.shared::cluster.global"),
            std::string::npos)
      << packaged.ptx;
  // By its address in the parameters' memory, not in a copy.
  EXPECT_EQ(packaged.ptx.find(".local"), std::string::npos) << packaged.ptx;
}

TEST_F(TensorMapTest, IsDescribed) {
  compile();
  const std::vector<KernelArgument> &arguments =
      packaged.program.launches.front().arguments;
  ASSERT_EQ(arguments.size(), 4u);
  const TensorMapArgument &map = getMap();
  EXPECT_EQ(map.buffer.kind, BufferRef::Kind::Argument);
  EXPECT_EQ(map.buffer.index, 0u);
  EXPECT_EQ(map.elementType, "bf16");
  EXPECT_EQ(map.sizes[0].str(), "2");
  EXPECT_EQ(map.sizes[1].str(), "arg0_dim1");
  EXPECT_EQ(map.sizes[2].str(), "64");
  EXPECT_TRUE(map.isStrided);
  EXPECT_EQ(ArrayRef<int64_t>(map.box), ArrayRef<int64_t>({1, 64, 64}));
  EXPECT_EQ(map.swizzle, 128);
  EXPECT_TRUE(std::holds_alternative<PointerArgument>(arguments[1]));
  EXPECT_TRUE(std::holds_alternative<IntegerArgument>(arguments[2]));
  EXPECT_EQ(std::get<StrideArgument>(arguments[3]).dim, 1u);
}

TEST_F(TensorMapTest, IsWrittenToManifests) {
  compile();
  EXPECT_NE(
      printManifest(packaged).find(
          R"({"tensor_map":{"argument":0,"box":[1,64,64],"sizes":[2,"arg0_dim1",64],"strides":[{"dim":0},{"dim":1}],"swizzle":128,"type":"bf16"}})"),
      std::string::npos)
      << printManifest(packaged);
  // The rows of a dense buffer follow from its sizes.
  getMap().isStrided = false;
  EXPECT_NE(printManifest(packaged).find(R"("strides":["arg0_dim1 * 64",64])"),
            std::string::npos);
}

/// A program in C, by the header alone: prints what it would give to
/// cuTensorMapEncodeTiled, and where the map belongs.
constexpr const char *kProgram = R"(
#include HEADER
#include <stdio.h>
int main(void) {
  f_sm_90_sizes sizes = {0};
  f_sm_90_buffers buffers = {0};
  f_sm_90_launch l;
  sizes.arg0_dim1 = 100;
  buffers.arguments[0] = 4096;
  buffers.argument_strides[0][0] = 65536;
  buffers.argument_strides[0][1] = 80;
  f_sm_90_get_launch(0, &sizes, &buffers, &l);
  for (int i = 0; i < l.num_maps; ++i) {
    const sparse_attn_tensor_map *m = &l.maps[i];
    printf("%d: type %u rank %u swizzle %u at %llu\n", m->parameter, m->type,
           m->rank, m->swizzle, (unsigned long long)m->address);
    for (unsigned d = 0; d < m->rank; ++d)
      printf("size %llu box %u element stride %u\n",
             (unsigned long long)m->sizes[d], m->box[d], m->element_strides[d]);
    for (unsigned d = 0; d + 1 < m->rank; ++d)
      printf("stride %llu\n", (unsigned long long)m->strides[d]);
  }
  printf("%d %lld\n", l.values[2].i32, (long long)l.values[3].i64);
  return 0;
}
)";

TEST_F(TensorMapTest, IsInTheCHeader) {
  compile();
  std::vector<OutputFile> files = {{"header", "f.h", printHeader(packaged)},
                                   {"program", "f.c", kProgram}};
  ASSERT_FALSE(bool(writePackage(directory, files)));
  std::string command = "cd " + directory +
                        " && " SPARSE_ATTN_CC " -std=c11 -Wall -Wextra -Werror "
                        "-pedantic-errors -DHEADER='\"f.h\"' f.c -o f && "
                        "./f > printed";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  auto printed = llvm::MemoryBuffer::getFile(directory + "/printed");
  ASSERT_TRUE(bool(printed));
  EXPECT_EQ((*printed)->getBuffer(), "0: type 9 rank 3 swizzle 3 at 4096\n"
                                     "size 64 box 64 element stride 1\n"
                                     "size 100 box 64 element stride 1\n"
                                     "size 2 box 1 element stride 1\n"
                                     "stride 160\n"
                                     "stride 131072\n"
                                     "100 80\n");
}

} // namespace
