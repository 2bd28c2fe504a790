#include "harness/sockets/fiber.h"

#include <memory>
#include <new>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

#include "harness/base/require.h"

#if defined(__SANITIZE_ADDRESS__)
#define NETRIG_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NETRIG_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define NETRIG_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NETRIG_TSAN 1
#endif
#endif

#ifdef NETRIG_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef NETRIG_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace netrig {
namespace {

namespace context = boost::context;

size_t page_bytes() {
  return static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

void* bottom_of(const context::stack_context& stack) {
  return static_cast<char*>(stack.sp) - stack.size;
}

// AddressSanitizer keeps a shadow of the current stack and must hear of every change of stacks:
// "start" just before a switch with the stack that is switched to, "finish" just after arriving. A
// null `fake_stack` on leaving says that this stack will not be entered again.
void announce_start([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* bottom,
                    [[maybe_unused]] size_t size) {
#ifdef NETRIG_ASAN
  __sanitizer_start_switch_fiber(fake_stack, bottom, size);
#endif
}

void announce_finish([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** bottom_from,
                     [[maybe_unused]] size_t* size_from) {
#ifdef NETRIG_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, bottom_from, size_from);
#endif
}

void announce_tsan([[maybe_unused]] void* to) {
#ifdef NETRIG_TSAN
  __tsan_switch_to_fiber(to, 0);
#endif
}

// Boost frees a fiber's stack itself when the fiber has ended; ours goes back to the pool instead,
// by the Fiber's destructor.
struct NoAllocator {
  context::stack_context allocate() { return {}; }
  void deallocate(context::stack_context&) {}
};

}  // namespace

StackPool::~StackPool() {
  const size_t guard = page_bytes();
  for (const auto& stack : free_) {
    ::munmap(static_cast<char*>(bottom_of(stack)) - guard, stack.size + guard);
  }
}

context::stack_context StackPool::take() {
  if (!free_.empty()) {
    auto stack = free_.back();
    free_.pop_back();
    return stack;
  }
  const size_t guard = page_bytes();
  void* low = ::mmap(nullptr, kStackBytes + guard, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (low == MAP_FAILED) throw std::bad_alloc();
  if (::mprotect(low, guard, PROT_NONE) != 0) {
    ::munmap(low, kStackBytes + guard);
    throw std::bad_alloc();
  }
  context::stack_context stack;
  stack.size = kStackBytes;
  stack.sp = static_cast<char*>(low) + guard + kStackBytes;
  return stack;
}

void StackPool::give_back(context::stack_context stack) {
#ifdef NETRIG_ASAN
  // What the last fiber's frames poisoned must not be found by the next one.
  __asan_unpoison_memory_region(bottom_of(stack), stack.size);
#endif
  free_.push_back(stack);
}

Fiber::Fiber(StackPool& stacks, std::function<void()> body)
    : stacks_(stacks), body_(std::move(body)), stack_(stacks.take()) {
#ifdef NETRIG_TSAN
  tsan_inside_ = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
  if (started_ && !ended_) {
    unwinding_ = true;
    switch_in();
    NETRIG_REQUIRE(ended_);
  }
#ifdef NETRIG_TSAN
  __tsan_destroy_fiber(tsan_inside_);
#endif
  stacks_.give_back(stack_);
}

void Fiber::resume() {
  NETRIG_REQUIRE(!ended_ && !unwinding_);
  if (!started_) {
    started_ = true;
    inside_ = context::fiber(
        std::allocator_arg, context::preallocated(stack_.sp, stack_.size, stack_), NoAllocator(),
        [this](context::fiber&& outside) { return enter(std::move(outside)); });
  }
  switch_in();
}

void Fiber::suspend() {
  NETRIG_REQUIRE(!unwinding_);
  announce_start(&inside_fake_stack_, outside_stack_bottom_, outside_stack_size_);
  announce_tsan(tsan_outside_);
  outside_ = std::move(outside_).resume();
  announce_finish(inside_fake_stack_, &outside_stack_bottom_, &outside_stack_size_);
  // Boost's own forced unwinding would switch stacks by itself, unannounced; so an exception of
  // ours unwinds, and the fiber then ends like any other.
  if (unwinding_) throw Unwind{};
}

void Fiber::switch_in() {
  announce_start(&outside_fake_stack_, bottom_of(stack_), stack_.size);
#ifdef NETRIG_TSAN
  tsan_outside_ = __tsan_get_current_fiber();
#endif
  announce_tsan(tsan_inside_);
  inside_ = std::move(inside_).resume();
  announce_finish(outside_fake_stack_, nullptr, nullptr);
}

context::fiber Fiber::enter(context::fiber&& outside) {
  announce_finish(nullptr, &outside_stack_bottom_, &outside_stack_size_);
  outside_ = std::move(outside);
  try {
    body_();
  } catch (const Unwind&) {
    // The destructor waits for us to end.
  }
  body_ = nullptr;  // what it captured belongs to the fiber and goes with it
  ended_ = true;
  announce_start(nullptr, outside_stack_bottom_, outside_stack_size_);
  announce_tsan(tsan_outside_);
  return std::move(outside_);
}

}  // namespace netrig
