#pragma once
// Fibers: a function with a stack of its own that can be left and entered again. Built on
// Boost.Context; every switch is announced to AddressSanitizer and ThreadSanitizer. Destroying a
// suspended fiber unwinds its stack. Stacks are pooled, with a guard page below each. Who runs when
// is the Loop's business.

#include <boost/context/fiber.hpp>
#include <boost/context/stack_context.hpp>
#include <cstddef>
#include <functional>
#include <vector>

namespace netrig {

// Hands out stacks with a guard page and keeps returned ones for the next fiber.
class StackPool {
 public:
  static constexpr size_t kStackBytes = 256 * 1024;

  StackPool() = default;
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  // The context's size leaves the guard page out. Throws std::bad_alloc when the machine has no
  // memory.
  boost::context::stack_context take();
  void give_back(boost::context::stack_context stack);

 private:
  std::vector<boost::context::stack_context> free_;
};

class Fiber {
 public:
  // `stacks` must outlive the fiber. The body does not start before the first resume().
  Fiber(StackPool& stacks, std::function<void()> body);
  // Unwinds the stack of a suspended fiber: suspend() throws inside it. The body must let that
  // pass.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Enters the fiber; returns when it suspends or ends. Not from inside a fiber.
  void resume();
  // Leaves the fiber, back to whoever resumed it. Only from inside this fiber, never while
  // unwinding.
  void suspend();
  bool ended() const { return ended_; }
  // True while the stack is being unwound by the destructor: code in destructors must not suspend.
  bool unwinding() const { return unwinding_; }

 private:
  struct Unwind {};  // what suspend() throws to unwind

  boost::context::fiber enter(boost::context::fiber&& outside);
  void switch_in();

  StackPool& stacks_;
  std::function<void()> body_;
  boost::context::stack_context stack_{};
  boost::context::fiber inside_;   // the fiber, while it is suspended
  boost::context::fiber outside_;  // the resumer, while the fiber runs
  bool started_ = false;
  bool ended_ = false;
  bool unwinding_ = false;
  // What the sanitizers were told: see fiber.cc.
  void* outside_fake_stack_ = nullptr;
  void* inside_fake_stack_ = nullptr;
  const void* outside_stack_bottom_ = nullptr;
  size_t outside_stack_size_ = 0;
  void* tsan_inside_ = nullptr;
  void* tsan_outside_ = nullptr;
};

}  // namespace netrig
