//===- MemoryFunctionsTest.cpp - memcpy, memmove and memset of our own ----===//

#include "Iree/Freestanding.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/TargetSelect.h"
#include "gtest/gtest.h"
#include <cstring>
#include <numeric>

using namespace mlir::sparse_attn;

namespace {
using Copy = void *(void *, const void *, size_t);
using Fill = void *(void *, int, size_t);

/// The functions, compiled for this machine under other names.
class MemoryFunctionsTest : public testing::Test {
protected:
  void SetUp() override {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    auto context = std::make_unique<llvm::LLVMContext>();
    auto module = std::make_unique<llvm::Module>("memory", *context);
    package::addMemoryFunctions(*module);
    for (llvm::Function &function : *module) {
      function.setLinkage(llvm::GlobalValue::ExternalLinkage);
      function.setName("our_" + function.getName());
    }
    jit = llvm::cantFail(llvm::orc::LLJITBuilder().create());
    module->setDataLayout(jit->getDataLayout());
    llvm::cantFail(jit->addIRModule({std::move(module), std::move(context)}));
  }

  template <typename Function> Function *find(llvm::StringRef name) {
    return llvm::cantFail(jit->lookup(name)).toPtr<Function *>();
  }

  std::unique_ptr<llvm::orc::LLJIT> jit;
};

std::vector<uint8_t> makeBytes() {
  std::vector<uint8_t> bytes(300);
  std::iota(bytes.begin(), bytes.end(), 1);
  return bytes;
}

TEST_F(MemoryFunctionsTest, CopiesAndFillsNoMoreThanItIsTold) {
  auto *copy = find<Copy>("our_memcpy");
  auto *fill = find<Fill>("our_memset");
  for (size_t length : {0, 1, 31, 32, 33, 64, 100}) {
    std::vector<uint8_t> from = makeBytes(), got(300, 7), right = got;
    EXPECT_EQ(copy(got.data() + 3, from.data() + 1, length), got.data() + 3);
    std::memcpy(right.data() + 3, from.data() + 1, length);
    EXPECT_EQ(got, right) << length;
    EXPECT_EQ(fill(got.data() + 5, 0x1fe, length), got.data() + 5);
    std::memset(right.data() + 5, 0xfe, length);
    EXPECT_EQ(got, right) << length;
  }
}

TEST_F(MemoryFunctionsTest, MovesWhatOverlaps) {
  auto *move = find<Copy>("our_memmove");
  for (size_t length : {0, 1, 40, 100})
    for (size_t to : {0, 10, 50, 90, 150}) {
      std::vector<uint8_t> got = makeBytes(), right = got;
      EXPECT_EQ(move(got.data() + to, got.data() + 50, length),
                got.data() + to);
      std::memmove(right.data() + to, right.data() + 50, length);
      EXPECT_EQ(got, right) << length << " to " << to;
    }
}

TEST_F(MemoryFunctionsTest, TakesThePlaceOfDeclarations) {
  llvm::LLVMContext context;
  llvm::Module module("declared", context);
  auto *pointer = llvm::PointerType::get(context, 0);
  auto *type = llvm::FunctionType::get(
      pointer, {pointer, pointer, llvm::Type::getInt64Ty(context)}, false);
  llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, "memcpy",
                         module);
  package::addMemoryFunctions(module);
  EXPECT_FALSE(module.getFunction("memcpy")->isDeclaration());
  EXPECT_EQ(module.size(), 3u);
}

TEST(ReadObjectTest, RefusesWhatIsNoObject) {
  auto facts = package::readObject("no object");
  ASSERT_FALSE(facts);
  EXPECT_NE(llvm::toString(facts.takeError()), "");
}
} // namespace
