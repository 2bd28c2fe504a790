// WirePath: what a link lets go is written to the receiver's port, captured, and told.

#include <algorithm>
#include <cerrno>

#include "harness/wire/wire_path.h"
#include "harness/wire/wire_path_parts.h"

namespace netrig {
namespace {

bool is_unchanged(const Departure& departure) {
  return departure.copy == 0 && departure.last && !departure.mark && !departure.corrupt_bit;
}

}  // namespace

// Segments of one packet that leave together go as one packet, as they came.
void WirePath::let_go(Lane& lane) {
  const Instant now = loop_.clock();
  const auto next = lane.link.next_due();
  if (next && *next <= now) {
    departures_.clear();
    lane.link.take_due(now, departures_);
    for (size_t first = 0; first < departures_.size();) {
      const Departure& departure = departures_[first];
      const uint64_t slot = departure.handle >> kIndexBits;
      Held& held = held_[slot];
      if (departure.due > held.sent_at) note_lateness(now - departure.due);
      size_t end = first + 1;
      if (held.datagram) {
        emit_fragments(lane, held, departure);
      } else if (!is_unchanged(departure)) {
        emit_changed(lane, held, departure);
      } else {
        while (end < departures_.size() && is_unchanged(departures_[end]) &&
               departures_[end].handle == departure.handle + (end - first)) {
          ++end;
        }
        emit_run(lane, held, static_cast<uint32_t>(departure.handle & kIndexMask),
                 static_cast<uint32_t>(end - first));
      }
      uint32_t gone = 0;
      for (size_t i = first; i < end; ++i) gone += departures_[i].last ? 1 : 0;
      if (gone > 0) release(slot, gone);
      first = end;
    }
  }
  arm(lane);
}

void WirePath::emit_run(Lane& lane, Held& held, uint32_t first, uint32_t count) {
  if (held.datagram) return emit_fragments(lane, held, {.last = true});
  if (!options_.capture_sent) capture_run(lane, held, first, count);
  const WireSlice slice = slice_segments(held.packet, held.offload, held.octets, first, count);
  if (held.is_datagram() && !held.names.empty()) {
    const ByteView payload = held.octets.substr(held.packet.header_size);
    for (uint32_t index = first; index < first + count; ++index) {
      arrives(lane, held, {.handle = index},
              payload.substr(size_t{index} * held.packet.segment_size, held.payload_size(index)));
    }
  }
  counters_.delivered += count;
  write(lane, slice.offload, slice.header_view(), slice.payload);
}

// A copy, a segment with a mark, or one with a damaged bit: by itself, with its checksum complete.
void WirePath::emit_changed(Lane& lane, Held& held, const Departure& departure) {
  const auto index = static_cast<uint32_t>(departure.handle & kIndexMask);
  scratch_.clear();
  append_segment(scratch_, held.packet, held.offload, held.octets, index);
  if (departure.mark) mark_congestion(scratch_);
  if (departure.corrupt_bit) flip_payload_bit(scratch_, *departure.corrupt_bit);
  if (!options_.capture_sent) capture(lane, held, index, departure.copy, scratch_);
  if (held.is_datagram()) {
    Departure told = departure;
    told.handle = index;
    arrives(lane, held, told, ByteView(scratch_).substr(held.packet.header_size));
  }
  ++counters_.delivered;
  write(lane, {}, scratch_, {});
}

void WirePath::emit_fragments(Lane& lane, Held& held, const Departure& departure) {
  FragmentGatherer::Datagram changed;
  const FragmentGatherer::Datagram* datagram = &*held.datagram;
  if (departure.mark || departure.corrupt_bit) {
    changed = *datagram;
    if (departure.corrupt_bit) flip_payload_bit(changed, *departure.corrupt_bit);
    if (departure.mark) {
      for (Bytes& fragment : changed.fragments) mark_congestion(fragment);
    }
    datagram = &changed;
  }
  Bytes payload;
  for (const Bytes& fragment : datagram->fragments) {
    if (!options_.capture_sent) capture(lane, held, 0, departure.copy, fragment);
    write(lane, {}, fragment, {});
    const auto parsed = parse_wire_packet({}, fragment);
    if (parsed) payload.append(ByteView(fragment).substr(parsed->header_size));
  }
  ++counters_.delivered;
  if (held.is_datagram()) {
    Departure told = departure;
    told.handle = 0;
    arrives(lane, held, told, payload);
  }
}

void WirePath::write(Lane& lane, const virtio_net_hdr& offload, ByteView header, ByteView payload) {
  Port& port = network_->port(lane.to);
  if (!payload.empty()) counters_.last_arrival = loop_.clock();
  if (auto written = port.write(offload, header, payload); !written) ++counters_.refused;
  if (hot_.empty() || hot_.back() != lane.to) hot_.push_back(lane.to);
}

// A datagram reaches its host. That of an actor's socket counts when it is read; what a program
// reads nobody sees.
void WirePath::arrives(Lane& lane, const Held& held, const Departure& departure, ByteView payload) {
  const PacketName& name = held.names[departure.handle];
  SocketState* receiver = sockets_.receiver(Transport::kUdp, held.packet.to(), held.packet.from());
  if (receiver != nullptr && receiver->host == lane.to) {
    OctetHash hash;
    hash.add(payload);
    receiver->expect({.packet = name,
                      .copy = departure.copy,
                      .corrupted = departure.corrupt_bit.has_value(),
                      .hash = hash.value(),
                      .sent_at = held.sent_at,
                      .arrived_at = loop_.clock()});
  } else if (observer_ != nullptr && programs_.contains(lane.to)) {
    observer_->on_arrival({.packet = name,
                           .copy = departure.copy,
                           .corrupted = departure.corrupt_bit.has_value(),
                           .sent_at = held.sent_at,
                           .arrived_at = loop_.clock()});
  }
}

void WirePath::capture(Lane& lane, const Held& held, uint32_t index, uint32_t copy,
                       ByteView octets) {
  if (!tap_.enabled()) return;
  if (!lane.interface) {
    lane.interface = tap_.add_interface(hosts_.name(lane.from) + " -> " + hosts_.name(lane.to));
  }
  std::string fate;
  if (copy > 0) {
    fate = "duplicate";
  } else if (index < held.fates.size() && !held.fates[index].delivered_untouched()) {
    fate = format_fate(held.fates[index]);
  }
  tap_.packet(*lane.interface, octets, held.is_datagram() ? held.activity.str() : std::string(),
              fate);
}

void WirePath::capture_run(Lane& lane, const Held& held, uint32_t first, uint32_t count) {
  if (!tap_.enabled()) return;
  if (held.datagram) {
    for (const Bytes& fragment : held.datagram->fragments) capture(lane, held, 0, 0, fragment);
    return;
  }
  for (uint32_t index = first; index < first + count; ++index) {
    scratch_.clear();
    append_segment(scratch_, held.packet, held.offload, held.octets, index);
    capture(lane, held, index, 0, scratch_);
  }
}

void WirePath::note_lateness(Duration late) {
  lateness_max_ = std::max(lateness_max_, late);
  const auto us = static_cast<size_t>(std::max<int64_t>(0, late.count() / 1000));
  ++lateness_[std::min(us, lateness_.size() - 1)];
}

Duration WirePath::median_lateness() const {
  uint64_t all = 0;
  for (const uint64_t count : lateness_) all += count;
  uint64_t below = 0;
  for (size_t us = 0; us < lateness_.size(); ++us) {
    below += lateness_[us];
    if (below * 2 > all) return Duration(static_cast<int64_t>(us) * 1000);
  }
  return Duration{0};
}

}  // namespace netrig
