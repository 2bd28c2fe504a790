#pragma once
// The capture of a simulated world: its packets as octets and Unix traffic as synthetic frames
// (unix_frames.h), in the order of time, through a pcapng writer, each with a comment that says who
// caused it and what the link did to it, in the words that `real` uses. Each direction between two
// hosts is an interface of its own, "client -> server"; packets within a host are on "lo".
// Interfaces are numbered as they come into use. Virtual time 0 is 2000-01-01T00:00:00Z. It owns
// the writer and opens no file.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fakes/network/fake_loop.h"
#include "fakes/network/fake_packet.h"
#include "harness/base/bytes.h"
#include "harness/base/errno.h"
#include "harness/capture/pcapng_writer.h"
#include "harness/capture/unix_frames.h"
#include "harness/link/fate.h"

namespace netrig {

struct FakeCaptureOptions {
  // False: a packet is captured when it is delivered, dropped ones are not seen. True: when it is
  // sent, as it is before the link, with its fate in the comment.
  bool sent = false;
  std::vector<std::string> hosts;  // their names by number, as in NetworkOptions
};

class FakeCapture {
 public:
  // `loop` must outlive it.
  FakeCapture(const FakeLoop& loop, PcapngWriter writer, FakeCaptureOptions options);
  FakeCapture(const FakeCapture&) = delete;
  FakeCapture& operator=(const FakeCapture&) = delete;

  // ---- of Network
  void sent(const FakePacket& packet, const Fate& fate) {
    if (options_.sent) write(packet, fate);
  }
  void delivered(const FakePacket& packet, const Fate& fate) {
    if (!options_.sent) write(packet, fate);
  }

  // ---- of Unix sockets; see UnixFrames. Datagrams of SOCK_DGRAM come through the network, those
  // of SOCK_SEQPACKET are told here. The time is now.
  void unix_connected(uint64_t connection, const std::string& service, const std::string& comment);
  void unix_data(uint64_t connection, bool from_client, ByteView data, const std::string& comment);
  void unix_finished(uint64_t connection, bool from_client, const std::string& comment);
  void unix_reset(uint64_t connection, bool from_client, const std::string& comment);
  void unix_datagram(const std::string& service, uint64_t peer, bool to_service, ByteView data,
                     const std::string& comment);

  uint64_t packets() const { return writer_.packets_written(); }
  // Once, at the end; afterwards only the destructor may be called.
  Result<void> close() { return writer_.close(); }

 private:
  void write(const FakePacket& packet, const Fate& fate);
  uint32_t interface_of(const FakePacket& packet);
  void write_octets(ByteView octets);
  void write_fragments(const FakePacket& packet, ByteView octets);
  void make_comment(const FakePacket& packet, const Fate& fate);
  int64_t time_ns() const;

  const FakeLoop& loop_;
  PcapngWriter writer_;
  FakeCaptureOptions options_;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> interfaces_;  // by sender and receiver
  std::optional<uint32_t> lo_;
  UnixFrames unix_frames_;
  uint16_t fragmented_ = 0;  // datagrams so far: their identification
  CapturedPacket captured_;  // one after the other
  Fate last_fate_;           // most packets of a link have the same
  std::string last_fate_text_ = format_fate({});
};

}  // namespace netrig
