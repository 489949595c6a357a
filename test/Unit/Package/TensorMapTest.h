//===- TensorMapTest.h - A package whose kernel takes a map -----*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_PACKAGE_TENSORMAPTEST_H
#define SPARSEATTN_TEST_UNIT_PACKAGE_TENSORMAPTEST_H

#include "../Runtime/CudaDouble.h"
#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/Package/Describe/Describe.h"
#include "SparseAttn/Package/Files/Package.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "SparseAttn/Runtime/SparseAttnRuntime.h"
#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "gtest/gtest.h"
#include <filesystem>

namespace mlir::sparse_attn::package {

/// What the function takes and gives, on tensors.
inline constexpr const char *kInterface = R"(
func.func @f(%k: tensor<2x?x64xbf16>, %o: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  return %o : tensor<?x64xbf16>
}
)";

/// A block copies a tile of the keys into shared memory, by its number alone,
/// and one of its threads copies one element of it on.
inline constexpr const char *kModule = R"(
module attributes {gpu.container_module} {
gpu.module @f_kernels attributes {sparse_attn.kernels} {
  llvm.mlir.global internal @tile() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<4096 x bf16>
  llvm.mlir.global internal @landed() {addr_space = 3 : i32} : i64
  llvm.func @f_0(
      %map: !llvm.ptr {llvm.byval = !llvm.array<128 x i8>, llvm.align = 64 : i64, nvvm.grid_constant},
      %o: !llvm.ptr<1>, %rows: i32, %stride: i64) attributes {gpu.kernel, nvvm.kernel} {
    %c0 = llvm.mlir.constant(0 : i32) : i32
    %c1 = llvm.mlir.constant(1 : i32) : i32
    %c64 = llvm.mlir.constant(64 : i32) : i32
    %bytes = llvm.mlir.constant(8192 : i32) : i32
    %ticks = llvm.mlir.constant(10000000 : i32) : i32
    %tile = llvm.mlir.addressof @tile : !llvm.ptr<3>
    %cluster = llvm.addrspacecast %tile : !llvm.ptr<3> to !llvm.ptr<7>
    %landed = llvm.mlir.addressof @landed : !llvm.ptr<3>
    nvvm.mbarrier.init %landed, %c1 : !llvm.ptr<3>, i32
    %block = nvvm.read.ptx.sreg.ctaid.x : i32
    %row = llvm.mul %block, %c64 : i32
    %head = nvvm.read.ptx.sreg.ctaid.y : i32
    nvvm.mbarrier.arrive.expect_tx %landed, %bytes : !llvm.ptr<3>, i32
    nvvm.cp.async.bulk.tensor.shared.cluster.global %cluster, %map, %landed, box[%c0, %row, %head]
      : !llvm.ptr<7>, !llvm.ptr
    nvvm.mbarrier.try_wait.parity %landed, %c0, %ticks : !llvm.ptr<3>, i32, i32
    %element = llvm.load %tile : !llvm.ptr<3> -> bf16
    llvm.store %element, %o : bf16, !llvm.ptr<1>
    llvm.return
  }
}
func.func @f(%k: memref<2x?x64xbf16, strided<[?, ?, 1]>>, %o: memref<?x64xbf16>) -> memref<?x64xbf16> {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c63 = arith.constant 63 : index
  %c64 = arith.constant 64 : index
  %n = memref.dim %k, %c1 : memref<2x?x64xbf16, strided<[?, ?, 1]>>
  %n63 = arith.addi %n, %c63 : index
  %tiles = arith.divui %n63, %c64 : index
  %some = arith.addi %tiles, %c1 : index
  %rows = arith.index_cast %n : index to i32
  %map = sparse_attn_gpu.tensor_map %k box [1, 64, 64] swizzle 128 : memref<2x?x64xbf16, strided<[?, ?, 1]>>
  %b, %offset, %s:3, %t:3 = memref.extract_strided_metadata %k
    : memref<2x?x64xbf16, strided<[?, ?, 1]>> -> memref<bf16>, index, index, index, index, index, index, index
  %stride = arith.index_cast %t#1 : index to i64
  %a = memref.extract_aligned_pointer_as_index %o : memref<?x64xbf16> -> index
  %i = arith.index_cast %a : index to i64
  %p = llvm.inttoptr %i : i64 to !llvm.ptr<1>
  gpu.launch_func @f_kernels::@f_0 blocks in (%some, %c2, %c1) threads in (%c1, %c1, %c1)
    args(%map : !llvm.ptr, %p : !llvm.ptr<1>, %rows : i32, %stride : i64)
  return %o : memref<?x64xbf16>
}
}
)";

/// From this IR to a package in a directory, and through the runtime to the
/// driver double.
class TensorMapTest : public ::testing::Test {
protected:
  static constexpr int64_t kHeadStride = 1 << 16; ///< in elements

  TensorMapTest() {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.disableMultithreading();
  }

  void SetUp() override {
    cuda_double::reset();
    llvm::SmallString<128> path;
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("sparse-attn", path));
    directory = path.str().str();
  }

  void TearDown() override {
    std::filesystem::remove_all(directory);
    for (const std::string &violation : cuda_double::getViolations())
      ADD_FAILURE() << violation;
  }

  void compile() {
    auto interface = parseSourceString<ModuleOp>(kInterface, &context);
    auto module = parseSourceString<ModuleOp>(kModule, &context);
    ASSERT_TRUE(interface && module);
    FailureOr<Program> described =
        describeInterface(interface->lookupSymbol<func::FuncOp>("f"));
    ASSERT_TRUE(succeeded(described));
    FailureOr<Program> program = describeProgram(
        module->lookupSymbol<func::FuncOp>("f"), std::move(*described));
    ASSERT_TRUE(succeeded(program));
    PassManager pm(&context);
    SparseAttnKernelsToPtxOptions ptx;
    ptx.chip = packaged.chip = "sm_90";
    ptx.features = "+ptx80";
    pm.addNestedPass<gpu::GPUModuleOp>(createConvertNVVMToLLVMPass());
    pm.addPass(createSparseAttnKernelsToPtx(ptx));
    ASSERT_TRUE(succeeded(pm.run(*module)));
    module->walk([&](gpu::BinaryOp binary) {
      auto object = cast<gpu::ObjectAttr>(binary.getObjects()[0]);
      packaged.ptx = object.getObject().getValue().str();
    });
    packaged.program = std::move(*program);
  }

  TensorMapArgument &getMap() {
    return std::get<TensorMapArgument>(
        packaged.program.launches.front().arguments.front());
  }

  void write(StringRef from = "", StringRef to = "") {
    packaged.files = {
        {"ptx", makeFileName("f", packaged.chip, "ptx"), packaged.ptx}};
    std::string manifest = printManifest(packaged);
    if (!from.empty()) {
      size_t at = manifest.find(from.str());
      ASSERT_NE(at, std::string::npos) << from.str() << " in " << manifest;
      manifest.replace(at, from.size(), to.str());
    }
    std::vector<OutputFile> files = packaged.files;
    files.push_back({"manifest", "manifest.json", manifest});
    ASSERT_FALSE(bool(writePackage(directory, files)));
  }

  /// Opens and loads the package, and launches for 2 heads of `rows` keys at
  /// `stride`.
  SparseAttnStatus launch(int64_t rows, int64_t stride) {
    SparseAttnPackage *package = nullptr;
    SparseAttnDriver *driver = nullptr;
    SparseAttnProgram *program = nullptr;
    const SparseAttnFunction *function = nullptr;
    SparseAttnStatus status =
        sparseAttnPackageOpen(directory.c_str(), &package);
    if (status == SPARSE_ATTN_SUCCESS)
      status = sparseAttnPackageGetFunctionNamed(package, "f", &function);
    if (status == SPARSE_ATTN_SUCCESS)
      status = sparseAttnDriverOpen(SPARSE_ATTN_CUDA_DOUBLE, &driver);
    if (status == SPARSE_ATTN_SUCCESS)
      status = sparseAttnProgramLoad(driver, function, 0, &program);
    if (status == SPARSE_ATTN_SUCCESS)
      status = launch(program, rows, stride);
    // What the last call of these said.
    message = sparseAttnGetLastError();
    sparseAttnProgramUnload(program);
    sparseAttnDriverClose(driver);
    sparseAttnPackageClose(package);
    return status;
  }

  SparseAttnStatus launch(SparseAttnProgram *program, int64_t rows,
                          int64_t stride) {
    keys = cuda_double::allocate(0, 2 * 2 * kHeadStride, misalignment);
    output = cuda_double::allocate(0, 2 * 64 * (rows + 1));
    const int64_t shape[] = {2, rows, 64}, strides[] = {kHeadStride, stride, 1};
    const SparseAttnTensor arguments[] = {
        {keys, SPARSE_ATTN_BF16, 3, shape, strides},
        {output, SPARSE_ATTN_BF16, 2, &shape[1], nullptr}};
    return sparseAttnProgramLaunch(program, arguments, 2, &arguments[1], 1, 0,
                                   0, nullptr);
  }

  /// As the kernel that was launched last found it.
  static std::optional<cuda_double::TensorMap> getLastMap() {
    std::vector<cuda_double::Launch> launches = cuda_double::getLaunches();
    return launches.empty() ? std::nullopt
                            : launches.back().parameters.front().map;
  }

  void expectError(SparseAttnStatus expected, SparseAttnStatus status,
                   const std::string &part) {
    EXPECT_STREQ(sparseAttnGetStatusName(status),
                 sparseAttnGetStatusName(expected));
    EXPECT_NE(message.find(part), std::string::npos)
        << "no '" << part << "' in: " << message;
  }

  MLIRContext context;
  PackagedProgram packaged;
  std::string directory, message;
  uint64_t keys = 0, output = 0, misalignment = 0;
};

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_TEST_UNIT_PACKAGE_TENSORMAPTEST_H
