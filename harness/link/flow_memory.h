#pragma once
// Chance with memory: what a packet's draws owe to the packet before it in its flow. Correlated
// faults, losses in bursts, every n-th packet of a flow. A Link keeps one memory a flow, and only
// if its parameters ask for one; it moves on by one step with every packet of the flow, whatever
// becomes of the packet. What is drawn is still a function of (seed, direction, flow, the flow's
// packets so far): no other flow, no time and no other fault moves it.

#include <cstdint>

#include "harness/base/chance.h"
#include "harness/link/link_config.h"

namespace netrig {

struct FlowMemory {
  static constexpr uint32_t kNothing = 0xFFFFFFFF;
  uint32_t loss = kNothing;  // the last draws, in ppm
  uint32_t duplicate = kNothing;
  uint32_t corrupt = kNothing;
  uint32_t reorder = kNothing;
  uint32_t since_reordered = 0;  // packets, for `gap`
  uint8_t loss_state = 1;        // of FourStateLoss
  bool bad = false;              // of GilbertElliott
  bool has_place = false;
  int64_t place = 0;  // of the last delay: delay_model.h
};

struct RandomFaults {
  bool lost = false;
  bool duplicate = false;
  bool corrupt = false;
  bool reorder = false;
};

// The faults of the flow's packet `ordinal`, the next one that the memory has not seen.
RandomFaults draw_faults(const LinkConfig& config, const Chance& chance, uint64_t ordinal,
                         FlowMemory& memory);

}  // namespace netrig
