#include "harness/link/fate.h"

#include <gtest/gtest.h>

namespace netrig {
namespace {

TEST(FormatFate, SaysDeliveredOnlyIfUntouched) {
  EXPECT_EQ(format_fate({}), "delivered");
  EXPECT_TRUE(Fate{}.delivered_untouched());
  for (const Fate& fate : {Fate{.copies = 2}, Fate{.copy_dropped = true}, Fate{.reordered = true},
                           Fate{.corrupt_bit = 0}, Fate{.delay = 1ns},
                           Fate{.dropped = DropCause::kRule, .copies = 0}}) {
    EXPECT_FALSE(fate.delivered_untouched());
    EXPECT_NE(format_fate(fate), "delivered");
  }
}

TEST(FormatFate, NamesEveryCauseOfADrop) {
  EXPECT_EQ(format_fate({.dropped = DropCause::kLoss, .copies = 0}), "dropped (loss)");
  EXPECT_EQ(format_fate({.dropped = DropCause::kRule, .copies = 0}), "dropped (rule)");
  EXPECT_EQ(format_fate({.dropped = DropCause::kQueue, .copies = 0}), "dropped (queue full)");
}

TEST(FormatFate, ListsWhatHappenedInTheOrderOfTheStages) {
  EXPECT_EQ(format_fate({.copies = 2}), "duplicated");
  EXPECT_EQ(format_fate({.corrupt_bit = 17, .delay = 20ms}), "corrupted (bit 17), delayed 20ms");
  EXPECT_EQ(format_fate({.copies = 2, .reordered = true, .corrupt_bit = 0, .delay = 1500ms}),
            "duplicated, corrupted (bit 0), reordered, delayed 1.5s");
  EXPECT_EQ(format_fate({.copy_dropped = true}), "duplicate dropped (queue full)");
}

}  // namespace
}  // namespace netrig
