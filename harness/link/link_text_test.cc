#include "harness/link/link_text.h"

#include <gmock/gmock.h>

namespace netrig {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(DescribeFaults, LeavesOutWhatDoesNothing) {
  EXPECT_THAT(describe_faults({}), IsEmpty());
}

TEST(DescribeFaults, NamesEveryParameter) {
  LinkConfig plain;
  plain.delay = {15ms, 25ms};
  plain.loss = plain.reorder = {100'000};
  plain.loss_correlation = {250'000};
  plain.reorder_gap = 5;
  plain.reorder_early = true;
  plain.rate = 10'000'000;
  plain.mtu = 1280;
  plain.rules.resize(2);
  plain.changes.resize(1);
  EXPECT_THAT(
      describe_faults(plain),
      ElementsAre("delay 15ms..25ms", "loss 10%, correlation 25%", "reorder 10%, gap 5 (early)",
                  "rate 10mbit, queue of 1000 packets", "mtu 1280", "2 rules", "1 change"));

  LinkConfig other;
  other.distribution =
      DelayDistribution{.mean = 20ms, .jitter = 5ms, .correlation = {500'000}, .normal = true};
  other.gemodel = GilbertElliott{.good_to_bad = {10'000}, .bad_to_good = {250'000}};
  other.duplicate = {10'000};
  other.trace = std::make_shared<const DeliveryTrace>(std::vector<uint32_t>{1, 2});
  other.queue_packets = 0;
  other.queue_octets = 65536;
  other.codel = CodelParameters{.ecn = true};
  EXPECT_THAT(describe_faults(other),
              ElementsAre("delay 20ms, jitter 5ms (normal), correlation 50%",
                          "loss in bursts (gemodel 1% 25%)", "duplicate 1%",
                          "a trace of 2 instants, queue of 64KiB (codel, ecn)"));
}

}  // namespace
}  // namespace netrig
