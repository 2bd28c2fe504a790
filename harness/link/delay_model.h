#pragma once
// How long a packet is under way where that is more than a range: a distribution by its table of
// quantiles, and correlation. Made by a Link of its parameters; draws by Chance, keeps nothing.
//
// Correlated delays are an autoregressive chain of the first order, as netem's are. netem's mixes
// uniform numbers, whose mixture is no longer uniform, so that correlation also narrows and bends
// its distribution. Here places in the normal distribution are mixed, which stay normal:
// place = c * place of the packet before + sqrt(1 - c^2) * a fresh one. So every delay has its
// distribution exactly, and normal delays that are k packets apart are correlated by c^k.

#include <cstdint>
#include <memory>

#include "harness/base/chance.h"
#include "harness/link/flow_memory.h"
#include "harness/link/link_config.h"

namespace netrig {

class DelayModel {
 public:
  explicit DelayModel(const DelayDistribution& distribution);

  bool is_correlated() const { return distribution_.correlation.ppm != 0; }
  // Without correlation.
  Duration draw(const Chance& chance, uint64_t ordinal, Purpose purpose) const;
  // With it: a place in the normal distribution, in 1/(kQuantileScale * kPlaceGrain), that owes
  // what it should to the one in `memory`; and the delay at a place.
  int64_t draw_place(const Chance& chance, uint64_t ordinal, Purpose purpose,
                     const FlowMemory& memory) const;
  Duration delay_at(int64_t place) const;

 private:
  // Small steps of a strong correlation must not vanish between two values of a table.
  static constexpr int64_t kPlaceGrain = 1024;

  Duration uniform(uint32_t position) const;

  DelayDistribution distribution_;
  std::shared_ptr<const QuantileTable> normal_;  // null without correlation
  int64_t fresh_ppm_ = 0;                        // sqrt(1 - c^2)
};

}  // namespace netrig
