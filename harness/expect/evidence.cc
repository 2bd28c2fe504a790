#include "harness/expect/evidence.h"

#include <algorithm>
#include <fmt/format.h>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/capture/capture_reader.h"
#include "harness/capture/packet_filter.h"
#include "harness/net/packet.h"

namespace netrig {

namespace {

constexpr size_t kPacketsShown = 5;

FixedVariables variables_of(const FinishedRun& run) {
  std::map<std::string, Value> values;
  for (const auto& [name, value] : run.variables) values.emplace(name, value);
  values.emplace("seed", static_cast<int64_t>(run.options.seed));
  return FixedVariables(std::move(values));
}

}  // namespace

Evidence::Evidence(const FinishedRun& run)
    : scenario_(run.scenario), run_(&run), variables_(variables_of(run)) {}

Evidence::Evidence(const Scenario& scenario, const Recording& recording)
    : scenario_(scenario), variables_({}), given_(&recording) {}

std::expected<const Recording*, std::string> Evidence::recording() {
  if (given_ != nullptr) return given_;
  if (run_->capture_path.empty()) return std::unexpected("the run has no capture");
  if (!read_) read_ = read_capture_file(run_->capture_path);
  if (*read_) return &read_->value();
  return std::unexpected(fmt::format("the capture cannot be read: {}", read_->error()));
}

std::expected<const std::vector<size_t>*, std::string> Evidence::packets(const std::string& kind) {
  const auto known = selected_.find(kind);
  if (known != selected_.end()) return &known->second;
  std::expected<const Recording*, std::string> capture = recording();
  if (!capture) return std::unexpected(capture.error());
  std::expected<std::string, std::string> text = filter_text(kind);
  if (!text) return std::unexpected(text.error());
  const bool is_own = scenario_.packets.contains(kind);
  std::expected<PacketFilter, std::string> filter =
      is_own ? PacketFilter::compile(*text) : PacketFilter::builtin(kind);
  if (!filter) {
    return std::unexpected(
        fmt::format("the filter of '{}' ({}) does not compile: {}", kind, *text, filter.error()));
  }
  return &selected_.emplace(kind, filter->select(**capture)).first->second;
}

std::expected<std::string, std::string> Evidence::filter_text(const std::string& kind) {
  const auto own = scenario_.packets.find(kind);
  if (own != scenario_.packets.end()) return render(own->second.filter, variables_);
  if (PacketFilter::is_builtin(kind)) return kind;
  return std::unexpected(fmt::format("'{}' is no kind of packets", kind));
}

std::string Evidence::packet_line(size_t index) {
  const std::vector<CapturedPacket>& all = (*recording())->packets;
  const CapturedPacket& captured = all[index];
  const std::expected<Packet, std::string> packet = decode_packet(captured.data);
  return fmt::format("#{} +{} {}", index + 1,
                     format_duration(Duration{captured.time_ns - all.front().time_ns}),
                     packet ? format_packet(*packet) : "malformed: " + packet.error());
}

std::vector<std::string> Evidence::packet_lines(const std::vector<size_t>& indices) {
  std::vector<std::string> lines;
  const size_t shown = std::min(indices.size(), kPacketsShown);
  for (size_t i = 0; i < shown; ++i) lines.push_back(packet_line(indices[i]));
  if (indices.size() > shown) lines.push_back(fmt::format("... {} more", indices.size() - shown));
  return lines;
}

}  // namespace netrig
