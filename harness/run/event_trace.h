#pragma once
// What happened in a run, line by line, kept so that a second run of the same thing can be compared
// with it while it goes on. For --check-determinism. Knows no world and no journal: whoever notes
// decides what a line says.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace netrig {

class EventTrace {
 public:
  struct Difference {
    size_t event = 0;   // from 1
    std::string first;  // "nothing" where a run ended earlier
    std::string second;
  };

  // The first run's events are kept, the second one's compared.
  void note(std::string line);
  // From now on it is the second run.
  void begin_second() { comparing_ = true; }
  // Called once, at the first event that differs.
  void on_difference(std::function<void()> stop) { on_difference_ = std::move(stop); }
  // After the second run: also one that ended early differs.
  void end_second();
  const std::optional<Difference>& difference() const { return difference_; }
  size_t events() const { return first_.size(); }

 private:
  void differ(std::string second);

  std::vector<std::string> first_;
  bool comparing_ = false;
  size_t next_ = 0;
  std::function<void()> on_difference_;
  std::optional<Difference> difference_;
};

}  // namespace netrig
