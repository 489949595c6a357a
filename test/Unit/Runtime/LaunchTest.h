//===- LaunchTest.h - Tests of launches -------------------------*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_RUNTIME_LAUNCHTEST_H
#define SPARSEATTN_TEST_UNIT_RUNTIME_LAUNCHTEST_H

#include "RuntimeTest.h"

namespace runtime_test {

/// With a loaded function.
class LaunchTest : public RuntimeTest {
protected:
  void use(const char *name,
           const std::vector<cuda_double::Device> &devices = {{90}}) {
    usePackage(getPackage(), name, devices);
  }
  void usePackage(const std::filesystem::path &path, const char *name,
                  const std::vector<cuda_double::Device> &devices = {{90}}) {
    cuda_double::reset(devices);
    Package package = open(path);
    Driver driver = openDriver();
    program = load(driver, getFunction(package, name));
    cuda_double::forgetCalls();
  }
  void TearDown() override {
    program.reset();
    RuntimeTest::TearDown();
  }

  Program program;
};

} // namespace runtime_test

#endif // SPARSEATTN_TEST_UNIT_RUNTIME_LAUNCHTEST_H
