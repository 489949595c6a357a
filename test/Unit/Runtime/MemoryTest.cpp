//===- MemoryTest.cpp - A device's memory through the C interface ---------===//

#include "RuntimeTest.h"

using namespace runtime_test;

namespace {
class MemoryTest : public RuntimeTest {};
} // namespace

TEST_F(MemoryTest, AllocatedMemoryIsOnItsDeviceUntilItIsFreed) {
  cuda_double::reset({{}, {}});
  Driver driver = openDriver();
  uint64_t address = 0;
  ASSERT_EQ(sparseAttnDeviceAllocate(driver.get(), 1, 100, &address),
            SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  EXPECT_NE(address, 0u);
  // Its context stays.
  EXPECT_EQ(cuda_double::getCounts().primaryContexts, 1);
  int32_t device = -1;
  EXPECT_EQ(sparseAttnDeviceFind(driver.get(), address + 99, &device),
            SPARSE_ATTN_SUCCESS);
  EXPECT_EQ(device, 1);
  EXPECT_EQ(sparseAttnDeviceFree(driver.get(), 1, address),
            SPARSE_ATTN_SUCCESS);
  EXPECT_EQ(cuda_double::getCounts().primaryContexts, 0);
  EXPECT_EQ(sparseAttnDeviceFree(driver.get(), 1, 0), SPARSE_ATTN_SUCCESS);
}

TEST_F(MemoryTest, FailuresLeaveNothingBehind) {
  Driver driver = openDriver();
  uint64_t address = 7;
  cuda_double::failNext("cuMemAlloc", 2);
  expectError(SPARSE_ATTN_OUT_OF_MEMORY,
              sparseAttnDeviceAllocate(driver.get(), 0, 100, &address),
              {"no 100 bytes on device 0", "free memory of the device"});
  EXPECT_EQ(address, 7u);
  expectError(SPARSE_ATTN_NO_DEVICE,
              sparseAttnDeviceAllocate(driver.get(), 5, 100, &address),
              {"there is no device 5, of 1"});
  int32_t device = 7;
  expectError(SPARSE_ATTN_WRONG_DEVICE,
              sparseAttnDeviceFind(driver.get(), 64, &device),
              {"address 64 is not in memory that the driver knows"});
  EXPECT_EQ(device, 7);
}

TEST_F(MemoryTest, NullsAreErrors) {
  Driver driver = openDriver();
  uint64_t address = 0;
  int32_t device = 0;
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnDeviceAllocate(nullptr, 0, 1, &address),
              {"driver is null"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnDeviceAllocate(driver.get(), 0, 1, nullptr),
              {"address is null"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT, sparseAttnDeviceFree(nullptr, 0, 1),
              {"driver is null"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnDeviceFind(nullptr, 1, &device), {"driver is null"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnDeviceFind(driver.get(), 1, nullptr),
              {"device is null"});
}

TEST_F(MemoryTest, DevicesHaveACapability) {
  cuda_double::reset({{80}, {120}});
  Driver driver = openDriver();
  int32_t capability = 0;
  for (auto [device, expected] : {std::pair(0, 80), std::pair(1, 120)}) {
    EXPECT_EQ(sparseAttnDeviceGetCapability(driver.get(), device, &capability),
              SPARSE_ATTN_SUCCESS);
    EXPECT_EQ(capability, expected);
  }
  expectError(SPARSE_ATTN_NO_DEVICE,
              sparseAttnDeviceGetCapability(driver.get(), 2, &capability),
              {"there is no device 2, of 2"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnDeviceGetCapability(nullptr, 0, &capability),
              {"driver is null"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnDeviceGetCapability(driver.get(), 0, nullptr),
              {"capability is null"});
  EXPECT_EQ(capability, 120);
}

TEST_F(MemoryTest, CopiesBothWays) {
  cuda_double::reset({{}, {}});
  cuda_double::emulate(getKernels());
  Driver driver = openDriver();
  uint64_t address = 0;
  const std::string text = "sixteen letters.";
  ASSERT_EQ(sparseAttnDeviceAllocate(driver.get(), 1, text.size(), &address),
            SPARSE_ATTN_SUCCESS);
  EXPECT_EQ(sparseAttnDeviceCopyTo(driver.get(), 1, address, text.data(),
                                   text.size()),
            SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  std::string back(8, ' ');
  EXPECT_EQ(sparseAttnDeviceCopyFrom(driver.get(), 1, back.data(), address + 4,
                                     back.size()),
            SPARSE_ATTN_SUCCESS)
      << sparseAttnGetLastError();
  EXPECT_EQ(back, text.substr(4, 8));
  // Of nothing no address is needed.
  cuda_double::forgetCalls();
  EXPECT_EQ(sparseAttnDeviceCopyTo(driver.get(), 1, 0, nullptr, 0),
            SPARSE_ATTN_SUCCESS);
  EXPECT_EQ(sparseAttnDeviceCopyFrom(driver.get(), 1, nullptr, 0, 0),
            SPARSE_ATTN_SUCCESS);
  EXPECT_TRUE(cuda_double::getCalls().empty());
  EXPECT_EQ(sparseAttnDeviceFree(driver.get(), 1, address),
            SPARSE_ATTN_SUCCESS);
}

TEST_F(MemoryTest, CopiesThatFailSaySo) {
  Driver driver = openDriver();
  uint64_t address = cuda_double::allocate(0, 16);
  char bytes[16] = {};
  cuda_double::failNext("cuMemcpyHtoD", 719);
  expectError(SPARSE_ATTN_DRIVER_ERROR,
              sparseAttnDeviceCopyTo(driver.get(), 0, address, bytes, 16),
              {"16 bytes cannot be copied to device 0", "error 719"});
  cuda_double::failNext("cuMemcpyDtoH", 719);
  expectError(SPARSE_ATTN_DRIVER_ERROR,
              sparseAttnDeviceCopyFrom(driver.get(), 0, bytes, address, 16),
              {"16 bytes cannot be copied from device 0", "error 719"});
  expectError(SPARSE_ATTN_NO_DEVICE,
              sparseAttnDeviceCopyTo(driver.get(), 1, address, bytes, 16),
              {"there is no device 1"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnDeviceCopyTo(nullptr, 0, address, bytes, 16),
              {"driver is null"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnDeviceCopyFrom(nullptr, 0, bytes, address, 16),
              {"driver is null"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnDeviceCopyTo(driver.get(), 0, address, nullptr, 16),
              {"source is null"});
  expectError(SPARSE_ATTN_INVALID_ARGUMENT,
              sparseAttnDeviceCopyFrom(driver.get(), 0, nullptr, address, 16),
              {"target is null"});
}

TEST_F(MemoryTest, InterfaceHasAVersion) {
  EXPECT_EQ(sparseAttnGetInterfaceVersion(), SPARSE_ATTN_INTERFACE_VERSION);
}
