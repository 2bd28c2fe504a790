#include "harness/link/flow_memory.h"

#include <limits>

namespace netrig {
namespace {

constexpr uint64_t kPpmWhole = 1'000'000;

// A fault has several draws for one packet.
constexpr uint32_t kFresh = 0;  // as without memory
constexpr uint32_t kRenewal = 1;
constexpr uint32_t kState = 2;

uint32_t draw_ppm(const Chance& chance, uint64_t ordinal, Purpose purpose, uint32_t index) {
  return static_cast<uint32_t>(chance.below(kPpmWhole, ordinal, purpose, index));
}

// With the probability `correlation` the draw is the one before, else a new one: a discrete
// autoregressive chain (Jacobs and Lewis 1978). Each draw is uniform, and two that are k packets
// apart are correlated by correlation^k.
bool happens(Probability probability, Probability correlation, const Chance& chance,
             uint64_t ordinal, Purpose purpose, uint32_t& last) {
  if (probability.ppm == 0) return false;
  const bool kept = correlation.ppm != 0 && last != FlowMemory::kNothing &&
                    draw_ppm(chance, ordinal, purpose, kRenewal) < correlation.ppm;
  if (!kept) last = draw_ppm(chance, ordinal, purpose, kFresh);
  return last < probability.ppm;
}

// As netem's loss_gilb_ell(): the packet is lost or not by the state that it finds, then the state
// changes or not.
bool is_lost(const GilbertElliott& channel, const Chance& chance, uint64_t ordinal,
             FlowMemory& memory) {
  const Probability loss = memory.bad ? channel.loss_in_bad : channel.loss_in_good;
  const bool lost = draw_ppm(chance, ordinal, Purpose::kLoss, kFresh) < loss.ppm;
  const Probability change = memory.bad ? channel.bad_to_good : channel.good_to_bad;
  if (draw_ppm(chance, ordinal, Purpose::kLoss, kState) < change.ppm) memory.bad = !memory.bad;
  return lost;
}

// As netem's loss_4state(): the state changes first, and the new one says what becomes of the
// packet.
bool is_lost(const FourStateLoss& chain, const Chance& chance, uint64_t ordinal,
             FlowMemory& memory) {
  const uint32_t drawn = draw_ppm(chance, ordinal, Purpose::kLoss, kState);
  uint8_t& state = memory.loss_state;
  switch (state) {
    case 1:
      state = drawn < chain.p14.ppm ? 4 : drawn < chain.p14.ppm + chain.p13.ppm ? 3 : 1;
      break;
    case 2:
      state = drawn < chain.p23.ppm ? 3 : 2;
      break;
    case 3:
      state = drawn < chain.p32.ppm ? 2 : drawn < chain.p32.ppm + chain.p31.ppm ? 1 : 3;
      break;
    default:
      state = 1;
      break;
  }
  return state >= 3;
}

}  // namespace

RandomFaults draw_faults(const LinkConfig& config, const Chance& chance, uint64_t ordinal,
                         FlowMemory& memory) {
  RandomFaults faults;
  if (config.gemodel) {
    faults.lost = is_lost(*config.gemodel, chance, ordinal, memory);
  } else if (config.loss_states) {
    faults.lost = is_lost(*config.loss_states, chance, ordinal, memory);
  } else {
    faults.lost =
        happens(config.loss, config.loss_correlation, chance, ordinal, Purpose::kLoss, memory.loss);
  }
  faults.duplicate = happens(config.duplicate, config.duplicate_correlation, chance, ordinal,
                             Purpose::kDuplicate, memory.duplicate);
  faults.corrupt = happens(config.corrupt, config.corrupt_correlation, chance, ordinal,
                           Purpose::kCorrupt, memory.corrupt);
  const bool chosen = happens(config.reorder, config.reorder_correlation, chance, ordinal,
                              Purpose::kReorder, memory.reorder);
  // netem's gap: the first gap - 1 packets after a reordered one are left alone.
  faults.reorder =
      chosen && (config.reorder_gap == 0 || memory.since_reordered + 1 >= config.reorder_gap);
  if (faults.reorder) {
    memory.since_reordered = 0;
  } else if (memory.since_reordered < std::numeric_limits<uint32_t>::max() - 1) {
    ++memory.since_reordered;
  }
  return faults;
}

}  // namespace netrig
