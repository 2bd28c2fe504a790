#include "harness/real/capture_tap.h"

#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <utility>

#include "harness/net/packet.h"
#include "harness/real/checksum_offload.h"
#include "harness/real/sockaddr.h"

namespace netrig {
namespace {

constexpr int kMarkerWaitMs = 1000;
// How long closed connections get to exchange their last segments (delayed acknowledgements: 40
// ms).
constexpr int kFarewellMs = 300;
// 1900 packets of the largest size. Opening takes the kernel longer, the larger the ring is.
constexpr size_t kRingBytes = size_t{4} << 20;
constexpr size_t kUndrainedPacketsMax = 200;
constexpr size_t kPacketOctets = 1400;

int64_t wall_clock_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::string told(std::string_view what, Errno error) {
  return fmt::format("{}: {} ({})", what, error.text(), error.name());
}

// Sends one datagram from each CPU that this thread may use: a packet waits in the queue of the CPU
// that sent it, so behind all of them nothing is left. Returns how many were sent.
size_t send_markers(int sender, const SocketAddress& destination) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 0;
  size_t sent = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (::sched_setaffinity(0, sizeof(one), &one) != 0) continue;
    const ssize_t size = ::sendto(sender, "end", 3, MSG_DONTWAIT | MSG_NOSIGNAL, destination.get(),
                                  destination.length);
    if (size == 3) ++sent;
  }
  ::sched_setaffinity(0, sizeof(allowed), &allowed);
  return sent;
}

}  // namespace

std::expected<void, std::string> CaptureTap::open(RealLoop& loop,
                                                  const CaptureTapOptions& options) {
  loop_ = &loop;
  whole_device_ = options.whole_device;
  std::expected<LiveCapture, std::string> live = std::unexpected(std::string());
  if (options.lo) live = LiveCapture::open("lo", {.ring_bytes = kRingBytes});
  if (options.lo && !live && !options.may_lack) {
    return std::unexpected(fmt::format("cannot capture: {}", live.error()));
  }
  Fd file(::openat(options.directory, "capture.pcapng", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC,
                   0644));
  if (!file) return std::unexpected(told("cannot make capture.pcapng", Errno(errno)));
  writer_.emplace(std::move(file), "netrig");
  if (options.lo) lo_ = writer_->add_interface("lo");
  unix_frames_.emplace([this](const std::string& name) { return writer_->add_interface(name); },
                       [this](CapturedPacket&& packet) { writer_->write(packet); });
  if (!options.lo) return {};
  if (!live) {
    note_ = fmt::format("lo was not captured: {}", live.error());
    return {};
  }
  live_ = std::move(*live);
  loop.watch(live_->descriptor(), [this] { drain(); });
  loop.each_turn([this] { drain(); });
  return {};
}

CaptureTap::~CaptureTap() {
  if (live_) loop_->unwatch(live_->descriptor());
}

void CaptureTap::drain() {
  if (!live_ || !writer_) return;
  undrained_packets_ = 0;
  live_->drain([this](CapturedPacket&& packet) { take(std::move(packet)); });
}

void CaptureTap::gave(size_t octets) {
  undrained_packets_ += 2 + octets / kPacketOctets;  // an acknowledgement, too
  if (undrained_packets_ > kUndrainedPacketsMax) drain();
}

void CaptureTap::packet(uint32_t interface, ByteView octets, std::string cause,
                        const std::string& fate) {
  if (!writer_) return;
  CapturedPacket captured;
  captured.time_ns = wall_clock_ns();
  captured.interface = interface;
  captured.data = octets;
  captured.original_length = static_cast<uint32_t>(octets.size());
  captured.comment = std::move(cause);
  if (captured.comment.empty()) {
    if (const auto decoded = decode_packet(captured.data)) {
      captured.comment = comments_.comment_for(*decoded);
    }
  }
  if (!fate.empty()) captured.comment += (captured.comment.empty() ? "" : "; ") + fate;
  writer_->write(captured);
}

// Each of the following drains first, so that the file is in the order of time.
void CaptureTap::unix_connected(uint64_t connection, const std::string& service,
                                const std::string& comment) {
  if (!unix_frames_) return;
  drain();
  unix_frames_->connected(connection, service, wall_clock_ns(), comment);
}

void CaptureTap::unix_data(uint64_t connection, bool from_client, ByteView data,
                           const std::string& comment) {
  if (!unix_frames_) return;
  drain();
  unix_frames_->stream_data(connection, from_client, data, wall_clock_ns(), comment);
}

void CaptureTap::unix_finished(uint64_t connection, bool from_client, const std::string& comment) {
  if (!unix_frames_) return;
  drain();
  unix_frames_->finished(connection, from_client, wall_clock_ns(), comment);
}

void CaptureTap::unix_reset(uint64_t connection, bool from_client, const std::string& comment) {
  if (!unix_frames_) return;
  drain();
  unix_frames_->reset(connection, from_client, wall_clock_ns(), comment);
}

void CaptureTap::unix_datagram(const std::string& service, uint64_t peer, bool to_service,
                               ByteView data, const std::string& comment) {
  if (!unix_frames_) return;
  drain();
  unix_frames_->datagram(service, peer, to_service, data, wall_clock_ns(), comment);
}

void CaptureTap::finish(WorldReport& report) {
  if (!enabled()) return;
  if (live_) {
    await_farewells();
    if (!collect_markers()) {
      report.invalid.push_back("the end of the capture was not seen: packets may be missing");
    }
    const LiveCaptureDrops drops = live_->drops();
    if (drops.dropped > 0) {
      report.invalid.push_back(
          fmt::format("the kernel dropped {} packets of the capture", drops.dropped));
    }
    if (!live_->error().empty()) {
      report.invalid.push_back("the capture broke off: " + live_->error());
    }
    loop_->unwatch(live_->descriptor());
  }
  if (!note_.empty()) report.notes.push_back(note_);
  report.counters["packets_captured"] = static_cast<int64_t>(writer_->packets_written());
  unix_frames_.reset();
  if (const auto closed = writer_->close(); !closed) {
    report.invalid.push_back(told("capture.pcapng could not be written", closed.error()));
  }
  writer_.reset();
}

void CaptureTap::take(CapturedPacket&& packet) {
  complete_checksum(packet.data);
  const auto decoded = decode_packet(packet.data);
  if (decoded) {
    if (marker_source_ != 0 && decoded->udp && decoded->udp->source_port == marker_source_ &&
        decoded->udp->destination_port == marker_destination_) {
      ++markers_seen_;
      return;
    }
    if (!whole_device_ && !comments_.concerns(*decoded)) return;
    packet.comment = comments_.comment_for(*decoded);
  } else if (!whole_device_) {
    return;
  }
  packet.interface = lo_;
  writer_->write(packet);
}

void CaptureTap::await_farewells() {
  const int64_t limit = wall_clock_ns() + int64_t{kFarewellMs} * 1'000'000;
  drain();
  while (comments_.farewells_missing() && wall_clock_ns() < limit) {
    pollfd entry{live_->descriptor(), POLLIN, 0};
    ::poll(&entry, 1, 10);
    drain();
  }
}

bool CaptureTap::collect_markers() {
  const Fd receiver(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const Fd sender(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto anywhere = to_socket_address(Endpoint(IpAddress::v4(127, 0, 0, 1), 0));
  for (const Fd* fd : {&receiver, &sender}) {
    if (!*fd || ::bind(fd->get(), anywhere->get(), anywhere->length) != 0) return false;
  }
  const auto to = local_endpoint(receiver.get());
  const auto from = local_endpoint(sender.get());
  if (!to || !from) return false;
  marker_source_ = from->port();
  marker_destination_ = to->port();
  const size_t sent = send_markers(sender.get(), *to_socket_address(*to));
  const int64_t limit = wall_clock_ns() + int64_t{kMarkerWaitMs} * 1'000'000;
  drain();
  while (markers_seen_ < sent && wall_clock_ns() < limit) {
    pollfd entry{live_->descriptor(), POLLIN, 0};
    ::poll(&entry, 1, 10);
    drain();
  }
  return sent > 0 && markers_seen_ >= sent;
}

}  // namespace netrig
