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

TEST_F(MemoryTest, InterfaceHasAVersion) {
  EXPECT_EQ(sparseAttnGetInterfaceVersion(), SPARSE_ATTN_INTERFACE_VERSION);
}
