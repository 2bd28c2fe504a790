#pragma once
// Where the sockets of a socket program are: a few endpoints to choose from, and their names in
// transcripts, which are the same on every world and in every run.

#include <string>

#include "fakes/parity/socket_program.h"

namespace netrig {

class ProgramPlaces {
 public:
  ProgramPlaces(const World& world, bool one_host, SocketPlaces places);

  // `choice` picks one for sockets of `domain` (AF_...) on host 0 or 1.
  Endpoint endpoint(int domain, size_t host, uint8_t choice) const;
  // "a:p1", "b:eph", "*:0", "@x1", "tmp/x2", "unnamed".
  std::string shown(const Endpoint& endpoint) const;

 private:
  std::string shown_port(uint16_t port) const;

  bool one_host_;
  SocketPlaces places_;
  std::string tmp_;
  IpAddress addresses_[2][2];  // host, IPv6
};

}  // namespace netrig
