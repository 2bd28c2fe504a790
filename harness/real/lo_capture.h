#pragma once
// What crosses one lo, by libpcap, and how its end is known: markers sent behind everything else
// that come back. Of the network namespace that the calling thread is in when it is opened. Owned
// by a CaptureTap.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include "harness/base/fd.h"
#include "harness/capture/live_capture.h"
#include "harness/net/packet.h"
#include "harness/sockets/world.h"

namespace netrig {

class LoCapture {
 public:
  // `taken`: every packet but the markers, its checksums complete; `packet` is null if it could not
  // be decoded. The error is a sentence.
  using Taken = std::function<void(CapturedPacket&&, const Packet*)>;
  static std::expected<LoCapture, std::string> open(Taken taken);

  int descriptor() const { return live_.descriptor(); }
  void drain();
  // Waits until every packet sent so far was taken, and tells what went wrong.
  void finish(WorldReport& report);

 private:
  LoCapture(LiveCapture live, Taken taken) : live_(std::move(live)), taken_(std::move(taken)) {}
  void take(CapturedPacket&& packet);
  bool collect_markers();

  LiveCapture live_;
  Taken taken_;
  Fd receiver_;  // of markers; bound at the end, so that they take no port during the run
  Fd sender_;
  // At the end: markers seen of those that were sent, by their ports.
  uint16_t marker_source_ = 0;
  uint16_t marker_destination_ = 0;
  size_t markers_seen_ = 0;
};

}  // namespace netrig
