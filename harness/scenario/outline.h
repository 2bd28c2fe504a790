#pragma once
// What the stages before the model need to know of those who take part (actors, processes, relays):
// names, hosts, openings, transports. Read from the tree with a shrug: what is malformed is left
// out, others tell about it.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/model.h"
#include "harness/scenario/node.h"

namespace netrig {

struct ActorOutline {
  enum class Kind : uint8_t { kActor, kProcess, kRelay };
  Kind kind = Kind::kActor;
  std::string name;
  std::string host;
  Location at;  // its key
  Opening opening = Opening::kNone;
  std::optional<Address> address;      // of a listen or bind opening, or the address it connects to
  std::string peer;                    // the actor it connects to
  std::optional<Transport> transport;  // of the opening's socket
  // Where others reach it: its listen or bind opening, or else the first address that a step binds.
  bool has_service = false;
  std::optional<Transport> service;
  bool has_from = false;
  bool has_each = false;
  bool many = false;  // `count` is there and not 1
};

struct Outline {
  std::vector<ActorOutline> actors;  // actors, then processes, then relays, in the file's order
  std::map<std::string, size_t, std::less<>> index;
  std::vector<std::string> actor_names;
  std::vector<std::string> hosts;  // in order of first mention
  std::map<std::string, size_t, std::less<>> host_index;

  const ActorOutline* find(std::string_view name) const;
  bool has_host(std::string_view name) const { return host_index.contains(name); }
};

Outline outline_of(const Node& root);

}  // namespace netrig
