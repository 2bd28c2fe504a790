#include "harness/wire/fragments.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "harness/net/packet.h"
#include "harness/wire/checksum_update.h"

namespace netrig {

namespace {

constexpr uint32_t kDatagramMax = 65'535;

// Octets of the datagram that IP cut, in this fragment.
uint32_t size_of(const WirePacket& packet) {
  return packet.header_size - packet.fragmentable_at + packet.payload_size;
}

// RFC 8200 section 4.5: all parts but the last are of whole units of 8 octets; none is empty.
bool is_well_formed(const WirePacket& packet) {
  const uint32_t size = size_of(packet);
  return size > 0 && (!packet.more_fragments || size % 8 == 0) &&
         packet.fragment_offset + size <= kDatagramMax;
}

}  // namespace

std::optional<FragmentGatherer::Datagram> FragmentGatherer::add(const WirePacket& packet,
                                                                ByteView octets) {
  // RFC 791 section 3.2; RFC 8200 section 4.5 does not look at the protocol, for the next header
  // differs where extension headers are cut.
  const Key key{packet.source, packet.destination, packet.v6 ? uint8_t{0} : packet.protocol,
                packet.identification};
  const auto [at, is_new] = open_.try_emplace(key);
  Open& open = at->second;
  if (is_new) open.age = next_age_++;
  const Fit fit = is_well_formed(packet) ? fit_of(open, packet) : Fit::kNever;
  if (fit == Fit::kNever) {
    give_up(at);
    return std::nullopt;
  }
  if (fit == Fit::kRepeated) return std::nullopt;

  Part part{.packet = packet,
            .octets = Bytes(octets.substr(0, size_t{packet.header_size} + packet.payload_size))};
  if (!packet.more_fragments) open.end = packet.fragment_offset + size_of(packet);
  open.gathered += size_of(packet);
  open.memory += memory_of(part);
  memory_ += memory_of(part);
  open.parts.emplace(packet.fragment_offset, std::move(part));
  // Without overlaps, so many octets are all of them.
  if (open.gathered == open.end) return taken(at);
  while (open_.size() > kOpenMax || memory_ > kMemoryMax) give_up_oldest();
  return std::nullopt;
}

size_t FragmentGatherer::memory_of(const Part& part) {
  constexpr size_t kNode = 64;  // of the map, and of the allocator
  return sizeof(Part) + kNode + part.octets.size();
}

FragmentGatherer::Fit FragmentGatherer::fit_of(const Open& open, const WirePacket& packet) {
  const uint32_t begin = packet.fragment_offset;
  const uint32_t end = begin + size_of(packet);
  const auto behind = open.parts.lower_bound(begin);
  // RFC 8200 section 4.5: exact duplicates may be left out, all other overlaps are an attack.
  if (behind != open.parts.end() && behind->first == begin &&
      size_of(behind->second.packet) == size_of(packet) &&
      behind->second.packet.more_fragments == packet.more_fragments) {
    return Fit::kRepeated;
  }
  if (behind != open.parts.end() && behind->first < end) return Fit::kNever;
  if (behind != open.parts.begin()) {
    const auto before = std::prev(behind);
    if (before->first + size_of(before->second.packet) > begin) return Fit::kNever;
  }
  // Nothing lies behind the last part.
  if (open.end && end > *open.end) return Fit::kNever;
  if (!packet.more_fragments && behind != open.parts.end()) return Fit::kNever;
  return Fit::kNew;
}

FragmentGatherer::Datagram FragmentGatherer::taken(OpenDatagrams::iterator at) {
  Open& open = at->second;
  Datagram datagram;
  datagram.first = open.parts.begin()->second.packet;
  datagram.payload_size = *open.end - (datagram.first.header_size - datagram.first.fragmentable_at);
  datagram.fragments.reserve(open.parts.size());
  for (auto& [offset, part] : open.parts) datagram.fragments.push_back(std::move(part.octets));
  memory_ -= open.memory;
  open_.erase(at);
  return datagram;
}

void FragmentGatherer::give_up(OpenDatagrams::iterator at) {
  ++given_up_;
  memory_ -= at->second.memory;
  open_.erase(at);
}

void FragmentGatherer::give_up_oldest() {
  const auto older = [](const auto& a, const auto& b) { return a.second.age < b.second.age; };
  give_up(std::min_element(open_.begin(), open_.end(), older));
}

void flip_payload_bit(FragmentGatherer::Datagram& datagram, uint64_t bit) {
  if (bit / 8 >= datagram.payload_size || datagram.fragments.empty()) return;
  const auto octet = static_cast<uint32_t>(bit / 8);
  const WirePacket& first = datagram.first;
  const uint32_t position = first.header_size - first.fragmentable_at + octet;
  for (Bytes& fragment : datagram.fragments) {
    const auto packet = parse_wire_packet({}, fragment);
    if (!packet || position < packet->fragment_offset ||
        position - packet->fragment_offset >= size_of(*packet)) {
      continue;
    }
    const size_t at = packet->fragmentable_at + size_t{position} - packet->fragment_offset;
    const uint8_t before = octet_at(fragment, at);
    const auto after = static_cast<uint8_t>(before ^ 0x80 >> bit % 8);
    fragment[at] = static_cast<char>(after);
    if (first.protocol == kProtocolUdp && first.has_transport) {
      update_udp_checksum(datagram.fragments.front(), first.ip_header_size, octet, before, after);
    }
    return;
  }
}

}  // namespace netrig
