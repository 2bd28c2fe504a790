#include "harness/capture/live_capture.h"

#include <algorithm>
#include <fmt/core.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utility>

#include "harness/capture/link_layer.h"

namespace netrig {
namespace {

struct PcapCloser {
  void operator()(pcap_t* pcap) const { pcap_close(pcap); }
};

// A frame takes at least this much of the kernel's ring (packet(7), TPACKET_ALIGNMENT and headers).
constexpr size_t kRingFrameBytesMin = 64;

// A loopback device shows every packet twice, going out and coming in, and libpcap drops the first
// of the two itself. Telling the kernel (packet(7), Linux 4.20) keeps it out of the ring, which
// then holds twice as many, and out of the drops, which then count packets. An older kernel merely
// does not know the option.
void ignore_outgoing_on_loopback(int socket, const std::string& device) {
  ifreq request{};
  device.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
  if (::ioctl(socket, SIOCGIFFLAGS, &request) != 0) return;
  if ((request.ifr_flags & IFF_LOOPBACK) == 0) return;
  const int on = 1;
  (void)::setsockopt(socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
}

}  // namespace

struct LiveCapture::State {
  std::unique_ptr<pcap_t, PcapCloser> pcap;
  uint16_t link_type = 0;
  size_t ring_frames_max = 0;
  uint64_t skipped = 0;
  std::string error;
  const std::function<void(CapturedPacket&&)>* take = nullptr;  // while draining

  static void handle(u_char* user, const pcap_pkthdr* header, const u_char* octets);
};

LiveCapture::LiveCapture(std::unique_ptr<State> state) : state_(std::move(state)) {}
LiveCapture::LiveCapture(LiveCapture&&) noexcept = default;
LiveCapture& LiveCapture::operator=(LiveCapture&&) noexcept = default;
LiveCapture::~LiveCapture() = default;

std::expected<LiveCapture, std::string> LiveCapture::open(const std::string& device,
                                                          const LiveCaptureOptions& options) {
  char text[PCAP_ERRBUF_SIZE] = "";
  auto state = std::make_unique<State>();
  state->pcap.reset(pcap_create(device.c_str(), text));
  pcap_t* pcap = state->pcap.get();
  if (pcap == nullptr) return std::unexpected(fmt::format("{}: {}", device, text));
  pcap_set_snaplen(pcap, static_cast<int>(std::min<uint32_t>(options.snap_length, 262144)));
  pcap_set_promisc(pcap, 0);
  pcap_set_immediate_mode(pcap, 1);
  pcap_set_buffer_size(pcap, static_cast<int>(std::min<size_t>(options.ring_bytes, 1 << 30)));
  if (pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO) != 0) {
    return std::unexpected(fmt::format("{}: no nanosecond timestamps", device));
  }
  const int status = pcap_activate(pcap);
  if (status < 0) {  // positive values are warnings: the capture runs
    const std::string detail = pcap_geterr(pcap);
    return std::unexpected(fmt::format("{}: {}{}{}", device, pcap_statustostr(status),
                                       detail.empty() ? "" : ": ", detail));
  }
  ignore_outgoing_on_loopback(pcap_fileno(pcap), device);
  if (pcap_setnonblock(pcap, 1, text) != 0) {
    return std::unexpected(fmt::format("{}: {}", device, text));
  }
  // DLT_ and LINKTYPE_ values are the same numbers for every link type that find_ip knows.
  state->link_type = static_cast<uint16_t>(pcap_datalink(pcap));
  state->ring_frames_max = options.ring_bytes / kRingFrameBytesMin + 1;
  return LiveCapture(std::move(state));
}

int LiveCapture::descriptor() const {
  return pcap_get_selectable_fd(state_->pcap.get());
}

size_t LiveCapture::drain(const std::function<void(CapturedPacket&&)>& take) {
  state_->take = &take;
  // What waited at the call fits into the ring: after so many frames, however fast new ones come,
  // it has been handed over.
  size_t frames = 0;
  const uint64_t skipped_before = state_->skipped;
  while (frames < state_->ring_frames_max) {
    const int got = pcap_dispatch(state_->pcap.get(), 1024, &State::handle,
                                  reinterpret_cast<u_char*>(state_.get()));
    if (got < 0) state_->error = pcap_geterr(state_->pcap.get());
    if (got <= 0) break;
    frames += static_cast<size_t>(got);
  }
  state_->take = nullptr;
  return frames - static_cast<size_t>(state_->skipped - skipped_before);
}

LiveCaptureDrops LiveCapture::drops() const {
  LiveCaptureDrops drops;
  drops.skipped = state_->skipped;
  pcap_stat stats{};
  if (pcap_stats(state_->pcap.get(), &stats) == 0) {
    drops.received = stats.ps_recv;
    drops.dropped = uint64_t{stats.ps_drop} + stats.ps_ifdrop;
  }
  return drops;
}

const std::string& LiveCapture::error() const {
  return state_->error;
}

void LiveCapture::State::handle(u_char* user, const pcap_pkthdr* header, const u_char* octets) {
  auto* state = reinterpret_cast<State*>(user);
  const ByteView frame(reinterpret_cast<const char*>(octets), header->caplen);
  const auto ip = find_ip(state->link_type, frame);
  if (!ip) {
    ++state->skipped;
    return;
  }
  CapturedPacket packet;
  // pcap_set_tstamp_precision(3PCAP): tv_usec holds nanoseconds.
  packet.time_ns = int64_t{header->ts.tv_sec} * 1'000'000'000 + header->ts.tv_usec;
  const size_t length = ip->length.value_or(ByteView::npos);
  packet.data = frame.substr(ip->offset, length);
  const size_t original = std::max(header->len, header->caplen);
  packet.original_length = static_cast<uint32_t>(std::min(original - ip->offset, length));
  (*state->take)(std::move(packet));
}

}  // namespace netrig
