#include "harness/real/lo_capture.h"

#include <ctime>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <utility>

#include "harness/base/fd.h"
#include "harness/real/checksum_offload.h"
#include "harness/real/sockaddr.h"

namespace netrig {
namespace {

constexpr int kMarkerWaitMs = 1000;
// 1900 packets of the largest size. Opening takes the kernel longer, the larger the ring is.
constexpr size_t kRingBytes = size_t{4} << 20;

int64_t monotonic_ms() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
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

std::expected<LoCapture, std::string> LoCapture::open(Taken taken) {
  auto live = LiveCapture::open("lo", {.ring_bytes = kRingBytes});
  if (!live) return std::unexpected(live.error());
  LoCapture lo(std::move(*live), std::move(taken));
  for (Fd* fd : {&lo.receiver_, &lo.sender_}) {
    *fd = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  }
  return lo;
}

void LoCapture::drain() {
  live_.drain([this](CapturedPacket&& packet) { take(std::move(packet)); });
}

void LoCapture::take(CapturedPacket&& packet) {
  complete_checksum(packet.data);
  const auto decoded = decode_packet(packet.data);
  if (decoded && marker_source_ != 0 && decoded->udp &&
      decoded->udp->source_port == marker_source_ &&
      decoded->udp->destination_port == marker_destination_) {
    ++markers_seen_;
    return;
  }
  taken_(std::move(packet), decoded ? &*decoded : nullptr);
}

void LoCapture::finish(WorldReport& report) {
  if (!collect_markers()) {
    report.invalid.push_back("the end of the capture was not seen: packets may be missing");
  }
  const LiveCaptureDrops drops = live_.drops();
  if (drops.dropped > 0) {
    report.invalid.push_back(
        fmt::format("the kernel dropped {} packets of the capture", drops.dropped));
  }
  if (!live_.error().empty()) {
    report.invalid.push_back("the capture broke off: " + live_.error());
  }
}

bool LoCapture::collect_markers() {
  const auto anywhere = to_socket_address(Endpoint(IpAddress::v4(127, 0, 0, 1), 0));
  for (const Fd* fd : {&receiver_, &sender_}) {
    if (!*fd || ::bind(fd->get(), anywhere->get(), anywhere->length) != 0) return false;
  }
  const auto to = local_endpoint(receiver_.get());
  const auto from = local_endpoint(sender_.get());
  if (!to || !from) return false;
  marker_source_ = from->port();
  marker_destination_ = to->port();
  const size_t sent = send_markers(sender_.get(), *to_socket_address(*to));
  const int64_t limit = monotonic_ms() + kMarkerWaitMs;
  drain();
  while (markers_seen_ < sent && monotonic_ms() < limit) {
    pollfd entry{live_.descriptor(), POLLIN, 0};
    ::poll(&entry, 1, 10);
    drain();
  }
  return sent > 0 && markers_seen_ >= sent;
}

}  // namespace netrig
