//===- Freestanding.cpp - Object files that need no library ---------------===//

#include "Freestanding.h"
#include "SparseAttn/Support/Error.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/DataExtractor.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using namespace mlir::sparse_attn::support;

namespace {
/// Functions of the C library as loops over vectors, then over the bytes left.
class MemoryFunctions {
public:
  explicit MemoryFunctions(llvm::Module &module)
      : module(module), b(module.getContext()) {}

  void add() {
    addCopy("memcpy", /*mayOverlap=*/false);
    addCopy("memmove", /*mayOverlap=*/true);
    addFill();
    llvm::appendToCompilerUsed(module, functions);
  }

private:
  static constexpr int64_t kVectorBytes = 32;

  void start(llvm::StringRef name, llvm::Type *second) {
    llvm::Function *declared = module.getFunction(name);
    if (declared)
      declared->setName("");
    auto *type = llvm::FunctionType::get(
        b.getPtrTy(), {b.getPtrTy(), second, b.getInt64Ty()}, false);
    function = llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage,
                                      name, module);
    if (declared) {
      declared->replaceAllUsesWith(function);
      declared->eraseFromParent();
    }
    // Else the loops would become calls of what they define.
    function->addFnAttr("no-builtins");
    functions.push_back(function);
    b.SetInsertPoint(makeBlock());
    to = function->getArg(0);
    bytes = function->getArg(2);
  }

  llvm::BasicBlock *makeBlock() {
    return llvm::BasicBlock::Create(b.getContext(), "", function);
  }

  /// Runs `body` for each multiple of `step` in [first, end), and is behind
  /// the loop then. Both are multiples.
  void loop(llvm::Value *first, llvm::Value *end, int64_t step,
            llvm::function_ref<void(llvm::Value *)> body) {
    llvm::BasicBlock *before = b.GetInsertBlock(), *head = makeBlock(),
                     *turn = makeBlock(), *behind = makeBlock();
    b.CreateBr(head);
    b.SetInsertPoint(head);
    llvm::PHINode *place = b.CreatePHI(b.getInt64Ty(), 2);
    place->addIncoming(first, before);
    b.CreateCondBr(b.CreateICmpULT(place, end), turn, behind);
    b.SetInsertPoint(turn);
    body(place);
    place->addIncoming(b.CreateAdd(place, b.getInt64(step)), turn);
    b.CreateBr(head);
    b.SetInsertPoint(behind);
  }

  llvm::Value *at(llvm::Value *pointer, llvm::Value *place) {
    return b.CreateGEP(b.getInt8Ty(), pointer, place);
  }

  /// Vectors, then bytes: `store` writes a value of the type at a place.
  void
  forAll(llvm::function_ref<void(llvm::Type *, llvm::Value *place)> store) {
    auto *vector = llvm::FixedVectorType::get(b.getInt8Ty(), kVectorBytes);
    llvm::Value *whole = b.CreateAnd(bytes, b.getInt64(-kVectorBytes));
    loop(b.getInt64(0), whole, kVectorBytes,
         [&](llvm::Value *place) { store(vector, place); });
    loop(whole, bytes, 1,
         [&](llvm::Value *place) { store(b.getInt8Ty(), place); });
  }

  void addCopy(llvm::StringRef name, bool mayOverlap) {
    start(name, b.getPtrTy());
    llvm::Value *from = function->getArg(1);
    auto copy = [&](llvm::Type *type, llvm::Value *place) {
      llvm::Value *value =
          b.CreateAlignedLoad(type, at(from, place), llvm::Align(1));
      b.CreateAlignedStore(value, at(to, place), llvm::Align(1));
    };
    if (mayOverlap) {
      // What starts inside of the source is written from its end.
      llvm::BasicBlock *back = makeBlock(), *forth = makeBlock();
      llvm::Value *distance =
          b.CreateSub(b.CreatePtrToInt(to, b.getInt64Ty()),
                      b.CreatePtrToInt(from, b.getInt64Ty()));
      b.CreateCondBr(b.CreateICmpULT(distance, bytes), back, forth);
      b.SetInsertPoint(back);
      loop(b.getInt64(0), bytes, 1, [&](llvm::Value *place) {
        copy(b.getInt8Ty(),
             b.CreateSub(b.CreateSub(bytes, b.getInt64(1)), place));
      });
      b.CreateRet(to);
      b.SetInsertPoint(forth);
    }
    forAll(copy);
    b.CreateRet(to);
  }

  void addFill() {
    start("memset", b.getInt32Ty());
    llvm::Value *byte = b.CreateTrunc(function->getArg(1), b.getInt8Ty());
    llvm::Value *vector = b.CreateVectorSplat(kVectorBytes, byte);
    forAll([&](llvm::Type *type, llvm::Value *place) {
      b.CreateAlignedStore(type->isVectorTy() ? vector : byte, at(to, place),
                           llvm::Align(1));
    });
    b.CreateRet(to);
  }

  llvm::Module &module;
  llvm::IRBuilder<> b;
  std::vector<llvm::GlobalValue *> functions;
  llvm::Function *function = nullptr;
  llvm::Value *to = nullptr, *bytes = nullptr;
};
} // namespace

void package::addMemoryFunctions(llvm::Module &module) {
  MemoryFunctions(module).add();
}

/// Reads a section of stack sizes: an address of 8 bytes, then a size as
/// ULEB128, for each function.
static llvm::Error readStackSizes(llvm::StringRef contents,
                                  ObjectFacts &facts) {
  llvm::DataExtractor data(contents, /*IsLittleEndian=*/true,
                           /*AddressSize=*/8);
  llvm::DataExtractor::Cursor place(0);
  while (place && !data.eof(place)) {
    (void)data.getU64(place);
    uint64_t bytes = data.getULEB128(place);
    facts.stackBytes = std::max(facts.stackBytes, bytes);
  }
  return place.takeError();
}

llvm::Expected<ObjectFacts> package::readObject(llvm::StringRef object) {
  auto file = llvm::object::ObjectFile::createELFObjectFile(
      llvm::MemoryBufferRef(object, "object"));
  if (!file)
    return file.takeError();
  ObjectFacts facts;
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    auto flags = symbol.getFlags();
    auto name = symbol.getName();
    if (!flags || !name)
      return llvm::joinErrors(flags.takeError(), name.takeError());
    if ((*flags & llvm::object::SymbolRef::SF_Undefined) && !name->empty())
      facts.undefined.push_back(name->str());
  }
  for (const llvm::object::SectionRef &section : (*file)->sections()) {
    auto name = section.getName();
    if (!name)
      return name.takeError();
    if (*name != ".stack_sizes")
      continue;
    auto contents = section.getContents();
    if (!contents)
      return contents.takeError();
    if (llvm::Error error = readStackSizes(*contents, facts))
      return std::move(error);
  }
  return facts;
}
