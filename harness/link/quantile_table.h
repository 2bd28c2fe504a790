#pragma once
// Distributions as tables of their quantiles, as netem's `distribution` has them: entry i of n is
// the value below which (i + 1/2) / n of all draws lie, in 1/8192 of the jitter. The tables of this
// file are computed in integers when they are asked for, so that a draw is the same in every build,
// and with every compiler and C library. Shared by all links that name them.

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/time.h"

namespace netrig {

// netem's NETEM_DIST_SCALE: what stands for one jitter in a table.
inline constexpr int64_t kQuantileScale = 8192;
// Of a table from a file; tc takes as many.
inline constexpr size_t kQuantilesMax = 16384;

class QuantileTable {
 public:
  // At least one value.
  explicit QuantileTable(std::vector<int32_t> values) : values_(std::move(values)) {}

  size_t size() const { return values_.size(); }
  int32_t operator[](size_t index) const { return values_[index]; }
  const std::vector<int32_t>& values() const { return values_; }
  // The value at `position` / 2^32 of the way through the table.
  int32_t at(uint32_t position) const {
    return values_[static_cast<size_t>(uint64_t{position} * values_.size() >> 32)];
  }
  // For an ascending table, its inverse: how far through it `value` stands, interpolated.
  uint32_t position_of(int64_t value) const;

 private:
  std::vector<int32_t> values_;
};

// The normal distribution with mean 0 and a standard deviation of one jitter.
std::shared_ptr<const QuantileTable> normal_table();
// netem's: 4/3 * (X - 3/2), where X is a Pareto variable with shape 3 and least value 1, so the
// mean is 0, the least value -2/3 jitter and the tail heavy. netem's own table stops at 4 jitters,
// this one at 24.9.
std::shared_ptr<const QuantileTable> pareto_table();
// netem's mixture, quantile by quantile: a quarter normal, three quarters Pareto.
std::shared_ptr<const QuantileTable> paretonormal_table();

// A file in the format of iproute2's tables: integers between white space, `#` before comments, at
// most kQuantilesMax. The error is a sentence about "it".
std::expected<std::shared_ptr<const QuantileTable>, std::string> parse_quantile_table(
    std::string_view text);

// netem's tabledist(): `mean` and a table's `value` times `jitter`, rounded half away from zero;
// never negative.
Duration scaled_delay(Duration mean, Duration jitter, int64_t value);

}  // namespace netrig
