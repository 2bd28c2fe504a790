#pragma once
// The relays of a run: forwarders of streams and datagrams between two addresses, in fibers of the
// run's loop, on the sockets of its world. What passes is in the journal and, as everything, in the
// capture.

#include <memory>
#include <optional>
#include <vector>

#include "harness/run/actor_run.h"
#include "harness/run/result.h"

namespace netrig {

class RelayRun;

class Relays {
 public:
  // The stage must outlive them.
  explicit Relays(Stage& stage);
  ~Relays();

  // Inside a fiber: opens every relay, which forwards from now on.
  std::optional<Finding> open();
  // Something that came has not gone on yet.
  bool busy() const;

 private:
  std::vector<std::unique_ptr<RelayRun>> runs_;
};

}  // namespace netrig
