//===- Fiber.cpp - A stack of its own for each GPU thread -----------------===//

#include "Fiber.h"
#include "llvm/Support/ErrorHandling.h"
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

#if LLVM_ADDRESS_SANITIZER_BUILD
#include <sanitizer/common_interface_defs.h>
#endif

using namespace mlir::sparse_attn::emulator;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

/// A kernel with whole tiles in registers, compiled without optimisation, keeps
/// each value of each tile on the stack. Pages that are not touched cost
/// nothing.
static constexpr size_t kStackBytes = 4 << 20;

static size_t getPageBytes() {
  static const size_t bytes = sysconf(_SC_PAGESIZE);
  return bytes;
}

Stack::Stack() {
  void *memory =
      mmap(nullptr, kStackBytes + getPageBytes(), PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    llvm::report_fatal_error("no memory for the stack of an emulated thread");
  base = static_cast<char *>(memory) + getPageBytes();
  mprotect(memory, getPageBytes(), PROT_NONE);
}

Stack::~Stack() {
  if (base)
    munmap(base - getPageBytes(), kStackBytes + getPageBytes());
}

Stack::Stack(Stack &&other) noexcept
    : base(std::exchange(other.base, nullptr)) {}

char *Stack::end() const { return base + kStackBytes; }

void Fiber::start(const Stack &newStack, void (*newBody)(void *),
                  void *newArgument) {
#if LLVM_ADDRESS_SANITIZER_BUILD
  stack = &newStack;
  fakeStack = nullptr;
#endif
  body = newBody;
  argument = newArgument;
  finished = false;
  context = make_fcontext(newStack.end(), kStackBytes, enter);
}

void Fiber::resume() {
#if LLVM_ADDRESS_SANITIZER_BUILD
  void *resumerFakeStack = nullptr;
  __sanitizer_start_switch_fiber(&resumerFakeStack, stack->begin(),
                                 kStackBytes);
#endif
  context = jump_fcontext(context, this).fctx;
#if LLVM_ADDRESS_SANITIZER_BUILD
  __sanitizer_finish_switch_fiber(resumerFakeStack, nullptr, nullptr);
#endif
}

void Fiber::suspend() {
#if LLVM_ADDRESS_SANITIZER_BUILD
  // A finished fiber gives its fake stack up.
  __sanitizer_start_switch_fiber(finished ? nullptr : &fakeStack, resumerStack,
                                 resumerStackBytes);
#endif
  resumer = jump_fcontext(resumer, nullptr).fctx;
#if LLVM_ADDRESS_SANITIZER_BUILD
  __sanitizer_finish_switch_fiber(fakeStack, &resumerStack, &resumerStackBytes);
#endif
}

void Fiber::enter(transfer_t transfer) {
  auto &fiber = *static_cast<Fiber *>(transfer.data);
  fiber.resumer = transfer.fctx;
#if LLVM_ADDRESS_SANITIZER_BUILD
  __sanitizer_finish_switch_fiber(nullptr, &fiber.resumerStack,
                                  &fiber.resumerStackBytes);
#endif
  fiber.body(fiber.argument);
  fiber.finished = true;
  fiber.suspend();
  llvm_unreachable("a finished fiber was resumed");
}
