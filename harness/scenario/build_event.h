#pragma once
// What the events of a network make of its links: cuts and changes of parameters, in order of time.
// For build_network.cc.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/scenario/build_link.h"

namespace netrig {

using HostPair = std::pair<std::string, std::string>;  // from, to

// `links`: what the network says of each direction, as members of its object. The changes of each
// direction that an event touches, ascending in time.
std::map<HostPair, std::vector<LinkChange>> build_events(
    Reading& reading, const Node& events, std::map<HostPair, std::vector<Member>> links,
    LinkFiles& files);

}  // namespace netrig
