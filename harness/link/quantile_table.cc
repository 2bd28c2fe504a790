#include "harness/link/quantile_table.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "harness/base/quantity.h"

namespace netrig {
namespace {

__extension__ using Uint128 = unsigned __int128;
__extension__ using Int128 = __int128;

constexpr size_t kEntries = 4096;

// ---- the normal distribution, from its density in steps of 1/256

constexpr int kStepBits = 8;
constexpr size_t kStepsEach = size_t{6} << kStepBits;  // up to 6 standard deviations
constexpr int kFractionBits = 62;

uint64_t product(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>(static_cast<Uint128>(a) * b >> kFractionBits);
}

// exp(-1 / 2^bits) with kFractionBits binary places, by its series.
uint64_t exp_minus(int bits) {
  uint64_t sum = uint64_t{1} << kFractionBits;
  uint64_t term = sum;
  for (uint64_t n = 1; term != 0; ++n) {
    term = (term >> bits) / n;
    sum = n % 2 == 1 ? sum - term : sum + term;
  }
  return sum;
}

// The integral of exp(-x^2/2) from 0 to k/256, by the trapezoidal rule, for each k.
// With h = 1/256: exp(-(x+h)^2/2) = exp(-x^2/2) * r, where r = exp(-h^2 (k + 1/2)) for x = k h.
std::vector<Uint128> half_integrals() {
  const uint64_t shrink = exp_minus(2 * kStepBits);
  uint64_t ratio = exp_minus(2 * kStepBits + 1);
  uint64_t density = uint64_t{1} << kFractionBits;
  std::vector<Uint128> integrals = {0};
  for (size_t k = 0; k < kStepsEach; ++k) {
    const uint64_t next = product(density, ratio);
    integrals.push_back(integrals.back() + density + next);  // twice, in units of h
    density = next;
    ratio = product(ratio, shrink);
  }
  return integrals;
}

std::vector<int32_t> normal_values() {
  const std::vector<Uint128> integrals = half_integrals();
  std::vector<int32_t> values(kEntries);
  // Entry kEntries/2 + i lies (i + 1/2) / (kEntries/2) of the way through the upper half.
  for (size_t i = 0; i < kEntries / 2; ++i) {
    const Uint128 wanted = integrals.back() * (2 * i + 1) / kEntries;
    const auto above = std::ranges::upper_bound(integrals, wanted);
    const auto step = static_cast<Uint128>(above - integrals.begin() - 1);
    const Uint128 below = *(above - 1);
    // kQuantileScale / 2^kStepBits table units a step, rounded.
    constexpr int kUnitsBits = 13 - kStepBits;
    const Uint128 part = ((wanted - below) << (kUnitsBits + 1)) / (*above - below);
    const Uint128 units = ((step << (kUnitsBits + 1)) + part + 1) >> 1;
    values[kEntries / 2 + i] = static_cast<int32_t>(units);
    values[kEntries / 2 - 1 - i] = -static_cast<int32_t>(units);
  }
  return values;
}

// ---- Pareto

uint64_t cube_root(Uint128 of) {
  uint64_t root = 0;
  for (int bit = 40; bit >= 0; --bit) {
    const uint64_t trial = root | uint64_t{1} << bit;
    if (static_cast<Uint128>(trial) * trial * trial <= of) root = trial;
  }
  return root;
}

// The quantile of a Pareto variable with shape 3 at 1 - u is u^(-1/3).
std::vector<int32_t> pareto_values() {
  std::vector<int32_t> values;
  for (size_t i = 0; i < kEntries; ++i) {
    const uint64_t odd = 2 * (kEntries - 1 - i) + 1;  // u = odd / (2 * kEntries)
    constexpr int kBits = 20;
    const Uint128 cube = (static_cast<Uint128>(2 * kEntries) << (3 * kBits)) / odd;
    const auto root = static_cast<int64_t>(cube_root(cube));  // with kBits binary places
    // 4/3 * (root - 3/2) * 8192, rounded.
    const int64_t twice = (root * 2 - (int64_t{3} << kBits)) * 4 * kQuantileScale / 3;
    values.push_back(static_cast<int32_t>((twice + (int64_t{1} << kBits)) >> (kBits + 1)));
  }
  return values;
}

std::shared_ptr<const QuantileTable> make(std::vector<int32_t> values) {
  return std::make_shared<const QuantileTable>(std::move(values));
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

uint32_t QuantileTable::position_of(int64_t value) const {
  const auto above = std::ranges::upper_bound(values_, value);
  const auto count = static_cast<uint64_t>(above - values_.begin());  // entries up to `value`
  const uint64_t size = values_.size();
  if (count == 0) return 0;
  if (count == size) return std::numeric_limits<uint32_t>::max();
  // Between the middles of the parts of two entries.
  const int64_t low = values_[count - 1];
  const int64_t width = values_[count] - low;
  const uint64_t part = static_cast<uint64_t>(((value - low) << 32) / width);
  const Uint128 position = (static_cast<Uint128>(2 * count - 1) << 31) + part;
  return static_cast<uint32_t>(position / size);
}

std::shared_ptr<const QuantileTable> normal_table() {
  return make(normal_values());
}

std::shared_ptr<const QuantileTable> pareto_table() {
  return make(pareto_values());
}

std::shared_ptr<const QuantileTable> paretonormal_table() {
  std::vector<int32_t> values = pareto_values();
  const std::vector<int32_t> normal = normal_values();
  for (size_t i = 0; i < values.size(); ++i) values[i] = (values[i] * 3 + normal[i]) / 4;
  return make(std::move(values));
}

std::expected<std::shared_ptr<const QuantileTable>, std::string> parse_quantile_table(
    std::string_view text) {
  std::vector<int32_t> values;
  uint64_t line = 1;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '#') {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    if (is_space(text[at])) {
      line += text[at] == '\n' ? 1 : 0;
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && !is_space(text[end])) ++end;
    const Parsed<int64_t> value = parse_integer(text.substr(at, std::min(end - at, size_t{20})));
    if (!value || *value < -32768 || *value > 32767) {
      return std::unexpected(
          fmt::format("its line {} holds something else than integers in -32768..32767", line));
    }
    if (values.size() == kQuantilesMax) {
      return std::unexpected(fmt::format("it has more than {} values", kQuantilesMax));
    }
    values.push_back(static_cast<int32_t>(*value));
    at = end;
  }
  if (values.empty()) return std::unexpected("it holds no values");
  return make(std::move(values));
}

Duration scaled_delay(Duration mean, Duration jitter, int64_t value) {
  const Int128 twice = static_cast<Int128>(jitter.count()) * value * 2;
  const Int128 half = twice < 0 ? -kQuantileScale : kQuantileScale;
  const Int128 delay = (twice + half) / (2 * kQuantileScale) + mean.count();
  if (delay < 0) return Duration{0};
  return delay > Duration::max().count() ? Duration::max() : Duration(static_cast<int64_t>(delay));
}

}  // namespace netrig
