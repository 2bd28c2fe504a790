#include "harness/capture/recording_builder.h"

#include <algorithm>
#include <fmt/core.h>
#include <utility>

#include "harness/base/text.h"
#include "harness/capture/capture_reader.h"
#include "harness/capture/link_layer.h"

namespace netrig {

uint32_t RecordingBuilder::add_interface(std::string name, uint16_t link_type) {
  recording_.interfaces.push_back({.name = std::move(name), .link_type = link_type});
  return static_cast<uint32_t>(recording_.interfaces.size() - 1);
}

void RecordingBuilder::add(Frame frame) {
  const uint16_t link_type = recording_.interfaces[frame.interface].link_type;
  const auto ip = find_ip(link_type, frame.data);
  if (!ip) {
    if (!link_type_known(link_type)) {
      ++skipped_[fmt::format("link type {} is not known", link_type)];
    }
    ++recording_.skipped;
    return;
  }
  CapturedPacket packet;
  packet.time_ns = frame.time_ns;
  packet.interface = frame.interface;
  const size_t length = ip->length.value_or(ByteView::npos);
  packet.data = frame.data.substr(ip->offset, length);
  const size_t original = std::max<size_t>(frame.original_length, frame.data.size());
  packet.original_length = static_cast<uint32_t>(std::min(original - ip->offset, length));
  packet.comment = std::move(frame.comment);
  recording_.packets.push_back(std::move(packet));
}

void RecordingBuilder::skip(const std::string& reason) {
  ++skipped_[reason];
  ++recording_.skipped;
}

Recording RecordingBuilder::finish() && {
  for (const auto& [reason, count] : skipped_) {
    note(fmt::format("{}: {}", reason, plural(count, "packet")));
  }
  for (const auto& [reason, count] : counted_) {
    note(count == 1 ? reason : fmt::format("{} ({} times)", reason, count));
  }
  return std::move(recording_);
}

}  // namespace netrig
