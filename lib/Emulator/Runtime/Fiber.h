//===- Fiber.h - A stack of its own for each GPU thread ---------*- C++ -*-===//
//
// On Boost.Context's switch of stacks, without its C++ wrapper: that wrapper
// unwinds a fiber which is thrown away by throwing an exception through its
// frames, and compiled kernels have no unwind tables. A kernel owns nothing
// that must be destroyed, so a fiber is simply left behind.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_EMULATOR_RUNTIME_FIBER_H
#define SPARSEATTN_EMULATOR_RUNTIME_FIBER_H

#include "llvm/Support/Compiler.h"
#include <boost/context/detail/fcontext.hpp>
#include <cstddef>

namespace mlir::sparse_attn::emulator {

/// Memory for a stack, with a page below it that faults when it overflows.
class Stack {
public:
  Stack();
  ~Stack();
  Stack(Stack &&other) noexcept;
  Stack &operator=(Stack &&) = delete;

  char *begin() const { return base; }
  char *end() const;

private:
  char *base;
};

class Fiber {
public:
  /// Prepares to run `body(argument)` on `stack`; what ran there is forgotten.
  void start(const Stack &stack, void (*body)(void *), void *argument);

  /// Runs the fiber until it suspends or its body returns.
  void resume();

  /// This is called on the fiber, and goes back to whoever resumed it.
  void suspend();

  bool isFinished() const { return finished; }

private:
  static void enter(boost::context::detail::transfer_t transfer);

  boost::context::detail::fcontext_t context = nullptr;
  boost::context::detail::fcontext_t resumer = nullptr;
  void (*body)(void *) = nullptr;
  void *argument = nullptr;
  bool finished = true;
#if LLVM_ADDRESS_SANITIZER_BUILD
  // It has to know about each switch.
  const Stack *stack = nullptr;
  void *fakeStack = nullptr;
  const void *resumerStack = nullptr;
  size_t resumerStackBytes = 0;
#endif
};

} // namespace mlir::sparse_attn::emulator

#endif // SPARSEATTN_EMULATOR_RUNTIME_FIBER_H
