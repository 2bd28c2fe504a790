#include "fakes/network/fake_capture.h"

#include <algorithm>
#include <utility>

#include "fakes/network/network.h"

namespace netrig {
namespace {

constexpr int64_t kTimeZeroNs = 946'684'800LL * 1'000'000'000;  // 2000-01-01T00:00:00Z
constexpr size_t kFragmentUnit = 8;                             // RFC 791 section 3.1
constexpr const char* kOwnAnswer = "answer of the kernel";      // as real's packet_comments.cc

bool is_own_answer(const FakePacket& packet) {
  if (std::holds_alternative<FakeIcmpError>(packet.body)) return true;
  const auto* segment = std::get_if<tcp::Segment>(&packet.body);
  return segment != nullptr && segment->has(kTcpRst) && packet.activity.empty();
}

}  // namespace

FakeCapture::FakeCapture(const FakeLoop& loop, PcapngWriter writer, FakeCaptureOptions options)
    : loop_(loop),
      writer_(std::move(writer)),
      options_(std::move(options)),
      unix_frames_([this](const std::string& name) { return writer_.add_interface(name); },
                   [this](CapturedPacket&& packet) { writer_.write(packet); }) {}

void FakeCapture::unix_connected(uint64_t connection, const std::string& service,
                                 const std::string& comment) {
  unix_frames_.connected(connection, service, time_ns(), comment);
}

void FakeCapture::unix_data(uint64_t connection, bool from_client, ByteView data,
                            const std::string& comment) {
  unix_frames_.stream_data(connection, from_client, data, time_ns(), comment);
}

void FakeCapture::unix_finished(uint64_t connection, bool from_client, const std::string& comment) {
  unix_frames_.finished(connection, from_client, time_ns(), comment);
}

void FakeCapture::unix_reset(uint64_t connection, bool from_client, const std::string& comment) {
  unix_frames_.reset(connection, from_client, time_ns(), comment);
}

void FakeCapture::unix_datagram(const std::string& service, uint64_t peer, bool to_service,
                                ByteView data, const std::string& comment) {
  unix_frames_.datagram(service, peer, to_service, data, time_ns(), comment);
}

void FakeCapture::write(const FakePacket& packet, const Fate& fate) {
  make_comment(packet, fate);
  if (const auto* datagram = std::get_if<FakeUnixDatagram>(&packet.body)) {
    unix_datagram(datagram->service, datagram->peer, datagram->to_service, datagram->payload.view(),
                  captured_.comment);
    return;
  }
  captured_.interface = interface_of(packet);
  captured_.data.clear();
  append_octets(captured_.data, packet);
  if (captured_.data.size() > kFakeMtu && std::holds_alternative<FakeUdp>(packet.body)) {
    const Bytes whole = std::move(captured_.data);
    write_fragments(packet, whole);
    return;
  }
  write_octets(captured_.data);
}

uint32_t FakeCapture::interface_of(const FakePacket& packet) {
  if (packet.from == packet.to) {
    if (!lo_) lo_ = writer_.add_interface("lo");
    return *lo_;
  }
  const auto [place, is_new] = interfaces_.try_emplace({packet.from, packet.to});
  if (is_new) {
    place->second = writer_.add_interface(options_.hosts.at(packet.from) + " -> " +
                                          options_.hosts.at(packet.to));
  }
  return place->second;
}

void FakeCapture::write_octets(ByteView octets) {
  captured_.time_ns = time_ns();
  captured_.original_length = static_cast<uint32_t>(octets.size());
  writer_.write(captured_);
}

// RFC 791 section 2.3, RFC 8200 section 4.5. The network hands datagrams on whole; the sight of
// them is that of a link with an MTU.
void FakeCapture::write_fragments(const FakePacket& packet, ByteView octets) {
  Packet fragment = to_packet(packet);
  const bool v6 = fragment.ip.source.is_v6();
  ByteView rest = octets.substr(v6 ? 40 : 20);
  const size_t room = (kFakeMtu - (v6 ? 48 : 20)) / kFragmentUnit * kFragmentUnit;
  fragment.udp.reset();
  fragment.ip.protocol = kProtocolUdp;
  fragment.ip.dont_fragment = false;
  fragment.ip.identification = ++fragmented_;
  for (size_t offset = 0; !rest.empty(); offset += fragment.payload.size()) {
    fragment.payload = rest.substr(0, room);
    rest.remove_prefix(fragment.payload.size());
    fragment.ip.fragment_offset = static_cast<uint16_t>(offset);
    fragment.ip.more_fragments = !rest.empty();
    captured_.data = encode_packet(fragment);
    write_octets(captured_.data);
  }
}

void FakeCapture::make_comment(const FakePacket& packet, const Fate& fate) {
  captured_.comment = is_own_answer(packet) ? kOwnAnswer : packet.activity;
  if (fate.delivered_untouched()) return;
  if (!captured_.comment.empty()) captured_.comment += "; ";
  if (packet.copy > 0) {
    captured_.comment += "duplicate";
    return;
  }
  if (last_fate_ != fate) {
    last_fate_ = fate;
    last_fate_text_ = format_fate(fate);
  }
  captured_.comment += last_fate_text_;
}

int64_t FakeCapture::time_ns() const {
  return kTimeZeroNs + loop_.now().time_since_epoch().count();
}

}  // namespace netrig
