#include "harness/run/event_trace.h"

#include <utility>

namespace netrig {

void EventTrace::note(std::string line) {
  if (!comparing_) {
    first_.push_back(std::move(line));
    return;
  }
  if (difference_) return;
  if (next_ < first_.size() && first_[next_] == line) {
    ++next_;
  } else {
    differ(std::move(line));
  }
}

void EventTrace::end_second() {
  on_difference_ = nullptr;
  if (!difference_ && next_ < first_.size()) differ("nothing");
}

void EventTrace::differ(std::string second) {
  difference_ =
      Difference{next_ + 1, next_ < first_.size() ? first_[next_] : "nothing", std::move(second)};
  if (on_difference_) on_difference_();
}

}  // namespace netrig
