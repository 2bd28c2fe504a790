#pragma once
// A world: named hosts, each with its sockets, a loop, and what became of the packets. One
// implementation a backend. It knows no scenario and no step; who uses it labels what it does
// (Loop::set_activity).

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/net/endpoint.h"
#include "harness/sockets/loop.h"
#include "harness/sockets/program.h"
#include "harness/sockets/socket_api.h"

namespace netrig {

// What a world says of itself once it has finished.
struct WorldReport {
  // Why the run cannot be trusted (kernel drops, an unwritable capture): not empty means `invalid`.
  std::vector<std::string> invalid;
  // Faults that this backend could not apply: not empty means `unsupported`.
  std::vector<std::string> unsupported;
  // What a reader of the result should know though it spoils nothing ("lo was not captured: ...").
  std::vector<std::string> notes;
  // "packets_captured", "datagrams_sent", ...; names are snake_case, values are totals.
  std::map<std::string, int64_t> counters;
  // What the network carried, hashed in parts ("time", "link", "headers", "payload"); empty if the
  // backend's packets are not the same in every run.
  std::map<std::string, uint64_t> fingerprints;
};

class World {
 public:
  virtual ~World() = default;

  virtual Loop& loop() = 0;
  // `name` is one of the hosts that the world was made with.
  virtual SocketApi& host(std::string_view name) = 0;
  virtual IpAddress address(std::string_view host, bool v6) const = 0;
  // Starts a program; it must not outlive the world. The error is a sentence. Worlds without real
  // processes have none.
  virtual std::expected<std::shared_ptr<Program>, std::string> start_program(
      const ProgramOptions& options) {
    return std::unexpected("there are no programs in this world: cannot start " + options.name);
  }
  // The folder that `${tmp}` names: private to the run, writable, empty at the start.
  virtual const std::string& tmp() const = 0;
  // Upper bounds on time are not exact here (wall clock).
  virtual bool wall_clock() const = 0;
  // True while a packet is under way that has not reached its host.
  virtual bool packets_under_way() const = 0;
  // Closes what is open, completes the capture up to the last packet and tells the outcome. Called
  // once, outside any fiber; afterwards only the destructor may be called.
  virtual WorldReport finish() = 0;
};

}  // namespace netrig
