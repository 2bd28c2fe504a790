#pragma once
// Live capture of one device by libpcap (pcap(3PCAP)): immediate mode, nanosecond timestamps,
// non-blocking. Frames are stripped to their IP header. It has a descriptor for a loop to watch and
// keeps no packet itself. Whoever uses it drains it often enough; what the kernel dropped is
// counted and told.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "harness/capture/captured_packet.h"

namespace netrig {

struct LiveCaptureOptions {
  size_t ring_bytes = size_t{8} << 20;
  uint32_t snap_length = 2048;  // link layer included
};

struct LiveCaptureDrops {
  uint64_t received = 0;
  uint64_t dropped = 0;  // ps_drop + ps_ifdrop
  uint64_t skipped = 0;  // frames without IP (ARP, ...) that drain passed over
};

class LiveCapture {
 public:
  // The error is libpcap's own text with the device's name.
  static std::expected<LiveCapture, std::string> open(const std::string& device,
                                                      const LiveCaptureOptions& options = {});
  LiveCapture(LiveCapture&&) noexcept;
  LiveCapture& operator=(LiveCapture&&) noexcept;
  ~LiveCapture();

  int descriptor() const;  // becomes readable when packets wait
  // Hands over every packet that waits, in the kernel's order; returns how many. Never blocks.
  size_t drain(const std::function<void(CapturedPacket&&)>& take);
  LiveCaptureDrops drops() const;
  // Why the last drain ended early, libpcap's text ("The interface disappeared"); empty if it did
  // not.
  const std::string& error() const;

 private:
  struct State;
  explicit LiveCapture(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace netrig
