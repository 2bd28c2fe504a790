#pragma once
// The world's capture: packets of lo by libpcap and Unix traffic as synthetic frames, in the order
// of time, into one pcapng file, each with a comment that says who caused it. It owns the file.
// With nothing to capture into, every call does nothing.

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/bytes.h"
#include "harness/capture/pcapng_writer.h"
#include "harness/capture/unix_frames.h"
#include "harness/real/lo_capture.h"
#include "harness/real/packet_comments.h"
#include "harness/real/real_loop.h"
#include "harness/sockets/world.h"

namespace netrig {

struct CaptureTapOptions {
  int directory = -1;        // capture.pcapng is made in it
  bool whole_device = true;  // false: only packets from or to ports of this world
  bool may_lack = false;     // go on without lo where capturing is not allowed
};

class CaptureTap {
 public:
  CaptureTap() = default;  // captures nothing until open()
  // `loop` must outlive it; what is captured is watched there and drained each turn. The error is a
  // sentence.
  std::expected<void, std::string> open(RealLoop& loop, const CaptureTapOptions& options);
  // Captures the lo of the calling thread's network namespace as well; of several their packets are
  // on one interface.
  std::expected<void, std::string> open_lo();
  CaptureTap(const CaptureTap&) = delete;
  CaptureTap& operator=(const CaptureTap&) = delete;
  ~CaptureTap();

  bool enabled() const { return writer_.has_value(); }
  // Takes what waits in the kernel's ring.
  void drain();
  // So many octets were just given to the kernel: drains now and then, so that a fiber that sends
  // and sends without ever waiting does not make the ring overflow.
  void gave(size_t octets);
  PacketComments& comments() { return comments_; }

  // ---- of a carrier, which hands over what it carries. The time is now.
  uint32_t add_interface(const std::string& name) { return writer_->add_interface(name); }
  // From the IP header on, whole, checksums complete. `cause`: who sent it; empty: it is looked up
  // among the comments. `fate`: what the link did to it; empty if nothing.
  void packet(uint32_t interface, ByteView octets, std::string cause, const std::string& fate);

  // Unix sockets; see UnixFrames. The time is now.
  void unix_connected(uint64_t connection, const std::string& service, const std::string& comment);
  void unix_data(uint64_t connection, bool from_client, ByteView data, const std::string& comment);
  void unix_finished(uint64_t connection, bool from_client, const std::string& comment);
  void unix_reset(uint64_t connection, bool from_client, const std::string& comment);
  void unix_datagram(const std::string& service, uint64_t peer, bool to_service, ByteView data,
                     const std::string& comment);

  // Waits until every packet sent so far is in the file, closes it, and tells what went wrong. (The
  // capture itself is closed by the destructor: the kernel takes some 20 ms for that.)
  void finish(WorldReport& report);

 private:
  void take(CapturedPacket&& packet, const Packet* decoded);
  void await_farewells();

  RealLoop* loop_ = nullptr;
  std::optional<PcapngWriter> writer_;
  std::vector<std::unique_ptr<LoCapture>> captures_;
  std::optional<UnixFrames> unix_frames_;
  PacketComments comments_;
  uint32_t lo_ = 0;
  size_t undrained_packets_ = 0;  // sent since the last drain, about
  bool whole_device_ = true;
  bool may_lack_ = false;
  std::string note_;
};

}  // namespace netrig
