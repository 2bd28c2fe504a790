#include "fakes/host/host_flows.h"

#include <fmt/format.h>

namespace netrig {
namespace {

// ip_local_port_range's default, whatever a host's own range is.
bool is_ephemeral(uint16_t port) {
  return port >= 32768;
}

}  // namespace

Network::FlowId flow_of(Network& network, const FlowEnds& ends) {
  const PacketReceiver* host = network.receiver(ends.to);
  std::optional<PacketReceiver::Addressee> receiver;
  if (host != nullptr) receiver = host->addressee(ends.transport, ends.destination, ends.source);
  const bool to_ephemeral = receiver ? !receiver->bound : is_ephemeral(ends.destination.port());
  const bool names_sender = ends.sender_bound && to_ephemeral;
  const uint16_t port = names_sender ? ends.source.port() : ends.destination.port();
  const bool chosen = is_ephemeral(port) && (names_sender || receiver.has_value());
  const std::string service =
      fmt::format("{}|{}:{}", transport_name(ends.transport),
                  network.name(names_sender ? ends.from : ends.to), chosen ? 0 : port);
  const std::string sender =
      ends.sender != 0 ? std::to_string(ends.sender) : ends.source.to_string();
  const bool known_end = ends.sender != 0 && receiver && !receiver->bound;
  return network.flow(
      ends.from, ends.to, service,
      fmt::format("{}>{}", sender,
                  known_end ? std::to_string(receiver->socket) : ends.destination.to_string()));
}

}  // namespace netrig
