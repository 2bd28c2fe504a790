#include "harness/real/capture_tap.h"

#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <utility>

#include "harness/net/packet.h"

namespace netrig {
namespace {

// How long closed connections get to exchange their last segments (delayed acknowledgements: 40
// ms).
constexpr int kFarewellMs = 300;
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

}  // namespace

std::expected<void, std::string> CaptureTap::open(RealLoop& loop,
                                                  const CaptureTapOptions& options) {
  loop_ = &loop;
  whole_device_ = options.whole_device;
  may_lack_ = options.may_lack;
  Fd file(::openat(options.directory, "capture.pcapng", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC,
                   0644));
  if (!file) return std::unexpected(told("cannot make capture.pcapng", Errno(errno)));
  writer_.emplace(std::move(file), "netrig");
  unix_frames_.emplace([this](const std::string& name) { return writer_->add_interface(name); },
                       [this](CapturedPacket&& packet) { writer_->write(packet); });
  loop.each_turn([this] { drain(); });
  return {};
}

std::expected<void, std::string> CaptureTap::open_lo() {
  auto lo = LoCapture::open(
      [this](CapturedPacket&& packet, const Packet* decoded) { take(std::move(packet), decoded); });
  if (!lo && !may_lack_) return std::unexpected(fmt::format("cannot capture: {}", lo.error()));
  if (captures_.empty()) lo_ = writer_->add_interface("lo");
  if (!lo) {
    note_ = fmt::format("lo was not captured: {}", lo.error());
    return {};
  }
  captures_.push_back(std::make_unique<LoCapture>(std::move(*lo)));
  loop_->watch(captures_.back()->descriptor(), [this] { drain(); });
  return {};
}

CaptureTap::~CaptureTap() {
  for (const auto& lo : captures_) loop_->unwatch(lo->descriptor());
}

void CaptureTap::drain() {
  if (!writer_) return;
  undrained_packets_ = 0;
  for (const auto& lo : captures_) lo->drain();
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
  if (!captures_.empty()) await_farewells();
  for (const auto& lo : captures_) lo->finish(report);
  if (!note_.empty()) report.notes.push_back(note_);
  report.counters["packets_captured"] = static_cast<int64_t>(writer_->packets_written());
  unix_frames_.reset();
  if (const auto closed = writer_->close(); !closed) {
    report.invalid.push_back(told("capture.pcapng could not be written", closed.error()));
  }
  writer_.reset();
}

void CaptureTap::take(CapturedPacket&& packet, const Packet* decoded) {
  if (!whole_device_ && (decoded == nullptr || !comments_.concerns(*decoded))) return;
  if (decoded != nullptr) packet.comment = comments_.comment_for(*decoded);
  packet.interface = lo_;
  writer_->write(packet);
}

void CaptureTap::await_farewells() {
  const int64_t limit = wall_clock_ns() + int64_t{kFarewellMs} * 1'000'000;
  drain();
  while (comments_.farewells_missing() && wall_clock_ns() < limit) {
    pollfd entry{captures_.front()->descriptor(), POLLIN, 0};
    ::poll(&entry, 1, 10);
    drain();
  }
}

}  // namespace netrig
