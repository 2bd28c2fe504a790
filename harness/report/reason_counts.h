#pragma once
// How many runs were not played, or not judged, for which reason: so many reasons, and the rest by
// number alone, so that a long list of them takes no memory.

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "harness/run/result.h"

namespace netrig {

class ReasonCounts {
 public:
  explicit ReasonCounts(size_t reasons_max) : reasons_max_(reasons_max) {}

  void count(const RunResult& result) {
    auto key = std::pair(result.verdict, result.reason);
    if (counts_.size() < reasons_max_ || counts_.contains(key)) {
      ++counts_[key];
    } else {
      ++untold_;
    }
  }
  const std::map<std::pair<Verdict, std::string>, size_t>& counts() const { return counts_; }
  size_t untold() const { return untold_; }  // runs with a reason too many

 private:
  size_t reasons_max_;
  std::map<std::pair<Verdict, std::string>, size_t> counts_;
  size_t untold_ = 0;
};

}  // namespace netrig
