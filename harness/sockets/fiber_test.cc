#include "harness/sockets/fiber.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

namespace netrig {
namespace {

struct Note {
  std::vector<std::string>& log;
  std::string text;
  ~Note() { log.push_back(text); }
};

TEST(Fiber, DoesNotStartBeforeTheFirstResume) {
  StackPool stacks;
  int entered = 0;
  Fiber fiber(stacks, [&] { ++entered; });
  EXPECT_EQ(entered, 0);
  fiber.resume();
  EXPECT_EQ(entered, 1);
  EXPECT_TRUE(fiber.ended());
}

TEST(Fiber, ContinuesAfterSuspendWhereItLeft) {
  StackPool stacks;
  std::vector<int> order;
  Fiber* self = nullptr;
  Fiber fiber(stacks, [&] {
    for (int i = 0; i < 3; ++i) {
      order.push_back(i);
      self->suspend();
    }
  });
  self = &fiber;
  for (int i = 10; !fiber.ended(); ++i) {
    fiber.resume();
    order.push_back(i);
  }
  EXPECT_EQ(order, (std::vector<int>{0, 10, 1, 11, 2, 12, 13}));
}

TEST(Fiber, DestroyingASuspendedOneUnwindsItsStackInnermostFirst) {
  StackPool stacks;
  std::vector<std::string> log;
  {
    Fiber* self = nullptr;
    Fiber fiber(stacks, [&] {
      const Note outer{log, "outer"};
      [&] {
        const Note inner{log, self->unwinding() ? "wrong" : "inner"};
        self->suspend();
        log.push_back("ran on");
      }();
    });
    self = &fiber;
    fiber.resume();
    EXPECT_TRUE(log.empty());
  }
  EXPECT_EQ(log, (std::vector<std::string>{"inner", "outer"}));
}

TEST(Fiber, OneThatNeverStartedIsDestroyedWithoutRunning) {
  StackPool stacks;
  bool entered = false;
  auto kept = std::make_shared<int>(1);
  {
    Fiber fiber(stacks, [&entered, kept] { entered = true; });
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_FALSE(entered);
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(Fiber, StackIsUsedAgainByTheNextFiber) {
  StackPool stacks;
  const void* first = nullptr;
  const void* second = nullptr;
  {
    Fiber fiber(stacks, [&] { first = __builtin_frame_address(0); });
    fiber.resume();
  }
  {
    Fiber fiber(stacks, [&] { second = __builtin_frame_address(0); });
    fiber.resume();
  }
  EXPECT_EQ(first, second);
}

TEST(Fiber, CatchesItsOwnExceptionsWhileOthersAreSuspended) {
  StackPool stacks;
  std::string caught;
  Fiber* self = nullptr;
  Fiber waiting(stacks, [&] { self->suspend(); });
  self = &waiting;
  waiting.resume();
  Fiber throwing(stacks, [&] {
    try {
      throw std::string("inside");
    } catch (const std::string& text) {
      caught = text;
    }
  });
  throwing.resume();
  EXPECT_EQ(caught, "inside");
}

TEST(StackPoolDeathTest, PageBelowTheStackIsNotWritable) {
  // The fault must come from the guard page, not from a neighbouring mapping.
  EXPECT_DEATH(
      {
        StackPool stacks;
        auto stack = stacks.take();
        auto* bottom = static_cast<volatile char*>(stack.sp) - stack.size;
        bottom[0] = 1;
        bottom[-1] = 1;
      },
      "");
}

}  // namespace
}  // namespace netrig
