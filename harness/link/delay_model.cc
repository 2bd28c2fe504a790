#include "harness/link/delay_model.h"

#include <algorithm>

#include "harness/base/require.h"

namespace netrig {
namespace {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

constexpr int64_t kPpmWhole = 1'000'000;

int64_t square_root(int64_t of) {
  int64_t root = 0;
  for (int bit = 31; bit >= 0; --bit) {
    const int64_t trial = root | int64_t{1} << bit;
    if (trial <= of / trial) root = trial;
  }
  return root;
}

// Rounded to the nearest, halves away from zero.
int64_t divided(int64_t value, int64_t by) {
  return (value + (value < 0 ? -by : by) / 2) / by;
}

}  // namespace

DelayModel::DelayModel(const DelayDistribution& distribution) : distribution_(distribution) {
  NETRIG_REQUIRE(distribution.mean >= Duration{0} && distribution.jitter >= Duration{0});
  if (!is_correlated()) return;
  normal_ = distribution.normal   ? distribution.table
            : distribution.places ? distribution.places
                                  : normal_table();
  const int64_t c = distribution.correlation.ppm;
  fresh_ppm_ = square_root(kPpmWhole * kPpmWhole - c * c);
}

Duration DelayModel::draw(const Chance& chance, uint64_t ordinal, Purpose purpose) const {
  const auto position = static_cast<uint32_t>(chance.draw64(ordinal, purpose) >> 32);
  if (!distribution_.table) return uniform(position);
  return scaled_delay(distribution_.mean, distribution_.jitter, distribution_.table->at(position));
}

int64_t DelayModel::draw_place(const Chance& chance, uint64_t ordinal, Purpose purpose,
                               const FlowMemory& memory) const {
  const auto position = static_cast<uint32_t>(chance.draw64(ordinal, purpose) >> 32);
  const int64_t fresh = normal_->at(position) * kPlaceGrain;
  if (!memory.has_place) return fresh;
  return divided(memory.place * distribution_.correlation.ppm + fresh * fresh_ppm_, kPpmWhole);
}

Duration DelayModel::delay_at(int64_t place) const {
  const int64_t normal = divided(place, kPlaceGrain);
  if (distribution_.normal) {
    return scaled_delay(distribution_.mean, distribution_.jitter, normal);
  }
  const uint32_t position = normal_->position_of(normal);
  if (!distribution_.table) return uniform(position);
  return scaled_delay(distribution_.mean, distribution_.jitter, distribution_.table->at(position));
}

// In mean - jitter..mean + jitter, both ends included.
Duration DelayModel::uniform(uint32_t position) const {
  const Uint128 values = static_cast<Uint128>(distribution_.jitter.count()) * 2 + 1;
  const auto above = static_cast<Int128>(values * position >> 32);
  const Int128 delay = above + distribution_.mean.count() - distribution_.jitter.count();
  const auto most = static_cast<Int128>(Duration::max().count());
  return Duration(static_cast<int64_t>(std::clamp<Int128>(delay, 0, most)));
}

}  // namespace netrig
