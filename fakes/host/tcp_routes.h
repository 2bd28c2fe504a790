#pragma once
// Where the segments of a connection go, found for the first of them: by the connection's
// endpoints, in a flat table, since every segment asks. Owned by one host; its order is seen by
// nobody.

#include <cstdint>
#include <optional>
#include <vector>

#include "fakes/network/network.h"
#include "fakes/tcp/participant.h"

namespace netrig {

struct TcpRoute {
  std::optional<Network::HostId> to;  // empty: to nobody
  Network::FlowId flow = 0;
  uint16_t identification = 1;
};

class TcpRoutes {
 public:
  // Null if it is not known. Good until the next add().
  TcpRoute* find(const tcp::FourTuple& tuple) {
    if (places_.empty()) return nullptr;
    Place& place = places_[place_of(tuple)];
    return place.used ? &place.route : nullptr;
  }
  // It must not be known. Beyond kRoutesMax all are forgotten: they are found again.
  TcpRoute& add(const tcp::FourTuple& tuple, const TcpRoute& route) {
    if (used_ >= kRoutesMax) {
      places_.clear();
      used_ = 0;
    }
    if (2 * (used_ + 1) > places_.size()) grow();
    ++used_;
    Place& place = places_[place_of(tuple)];
    place = {tuple, route, true};
    return place.route;
  }

 private:
  static constexpr size_t kRoutesMax = 65536;
  static constexpr size_t kPlacesFirst = 8;
  struct Place {
    tcp::FourTuple tuple;
    TcpRoute route;
    bool used = false;
  };

  // Its own place, or the free one where it belongs.
  size_t place_of(const tcp::FourTuple& tuple) const {
    const size_t mask = places_.size() - 1;
    size_t i = tcp::hash_of(tuple) & mask;
    while (places_[i].used && places_[i].tuple != tuple) i = (i + 1) & mask;
    return i;
  }
  // The number of places is a power of two, and at most half of them are used.
  void grow() {
    std::vector<Place> old(places_.empty() ? kPlacesFirst : 2 * places_.size());
    old.swap(places_);
    for (const Place& place : old) {
      if (place.used) places_[place_of(place.tuple)] = place;
    }
  }

  std::vector<Place> places_;
  size_t used_ = 0;
};

}  // namespace netrig
