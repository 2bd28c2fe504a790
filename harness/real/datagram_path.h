#pragma once
// The way of a datagram between two sockets of the world: which link it crosses, its name there,
// its fate, its emission when the link lets it go, and its arrival when a socket reads it. UDP and
// Unix datagram sockets. Blocking and handles are the business of RealSockets.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "harness/link/link.h"
#include "harness/real/capture_tap.h"
#include "harness/real/flow_names.h"
#include "harness/real/host_table.h"
#include "harness/real/socket_state.h"
#include "harness/sockets/world.h"

namespace netrig {

struct DatagramPathOptions {
  std::map<std::string, LinkConfig> links;  // by direction; the rest are transparent
  uint64_t seed = 1;
  std::string tmp;  // named ${tmp} in flows: it differs between runs
  LinkObserver* observer = nullptr;
  bool carried = false;  // IP packets between hosts are a carrier's business (packet_carrier.h)
};

class DatagramPath {
 public:
  // Beyond this lateness of a link's timer the run is invalid.
  static constexpr Duration kLatenessMax = 50ms;
  // How long an emission finds a Unix receiver's queue full before the datagram counts as lost.
  static constexpr Duration kRetryMax = 1s;

  // The references must outlive it.
  DatagramPath(RealLoop& loop, const HostTable& hosts, SocketRegister& sockets, CaptureTap& tap,
               DatagramPathOptions options);
  ~DatagramPath();

  // True if faults of the link may touch what `state` sends to `to` (empty: its peer).
  bool crosses_faults(const SocketState& state, const std::optional<Endpoint>& to) const;
  // True if a carrier takes what `state` sends to `to` (empty: its peer) from the kernel.
  bool is_carried(const SocketState& state, const std::optional<Endpoint>& to) const;
  // The kernel has bound a socket that was not bound when it first sent.
  void learn_port(SocketState& state);
  // The first fault that is set either way between two hosts and would touch streams of
  // `transport`: "loss on client -> server".
  std::optional<std::string> stream_fault(Transport transport, size_t a, size_t b) const;
  const FlowNames& names() const { return names_; }

  // The kernel took the datagram directly: it is told to the observer and expected at its receiver.
  void sent_directly(SocketState& sender, const std::optional<Endpoint>& to, ByteView data);
  // Gives the datagram to the link. Checks first what the kernel would answer.
  Result<size_t> offer(SocketState& sender, const std::optional<Endpoint>& to, ByteView data);

  // `state` has read a datagram (not peeked).
  void received(SocketState& state, uint64_t hash, bool read = true);
  // Reads what waits in the socket's buffer: arrived, but never read.
  void drain_unread(SocketState& state);

  // There is a program on the host: what its sockets read nobody sees, so it counts as it arrives.
  void runs_program(size_t host) { programs_.insert(host); }

  bool under_way() const { return !pending_.empty() || retrying_ > 0; }
  void report(WorldReport& report) const;

 private:
  struct Pending;
  struct Lane;

  const LinkConfig* config(size_t from, size_t to) const;
  Lane& lane(const DatagramRoute& route);
  struct Emission;
  // Lets go what is due; answers what became of the original of `own`, if it was among it.
  Result<void> pump(Lane& lane, uint64_t own);
  void arm(Lane& lane);
  Result<void> emit(const Emission& emission);
  Result<void> try_emit(const Emission& emission);
  void emitted(const Pending& pending, ByteView data, uint32_t copy, bool corrupted);
  SocketState* receiver_of(const DatagramRoute& route) const;

  RealLoop& loop_;
  const HostTable& hosts_;
  SocketRegister& sockets_;
  CaptureTap& tap_;
  DatagramPathOptions options_;
  FlowNames names_;
  std::map<std::string, std::unique_ptr<Lane>> lanes_;
  std::map<uint64_t, std::shared_ptr<Pending>> pending_;
  uint64_t next_handle_ = 1;
  int64_t sent_ = 0;
  int64_t dropped_ = 0;
  Duration lateness_{0};
  size_t retrying_ = 0;
  int64_t given_up_ = 0;
  std::set<size_t> programs_;  // hosts that have any
};

}  // namespace netrig
