#include <fmt/format.h>
#include <set>
#include <span>

#include "harness/scenario/address_text.h"
#include "harness/scenario/expand.h"
#include "harness/scenario/template_text.h"

namespace netrig {

namespace {

constexpr int kFirstPort = 5001;

// Of every address anywhere in the file; text that only looks like one does no harm.
void collect_ports(const Node& node, std::set<int>& ports) {
  if (node.kind == Node::Kind::kString &&
      (node.string.starts_with("tcp") || node.string.starts_with("udp"))) {
    auto address = parse_address(node.string);
    if (address && address->port) ports.insert(*address->port);
  }
  for (const Node& element : node.elements) collect_ports(element, ports);
  for (const Member& member : node.members) collect_ports(member.value, ports);
}

class AddressFiller {
 public:
  AddressFiller(std::set<int> taken, bool kernel_ports, std::vector<Diagnostic>& mistakes)
      : taken_(std::move(taken)), kernel_ports_(kernel_ports), mistakes_(mistakes) {}

  void fill(Node& node, const std::string& actor, bool many, bool service) {
    if (node.kind != Node::Kind::kString) return;
    auto address = parse_address(node.string);
    if (!address) return;
    const bool alone = node.string.find(':') == std::string::npos;
    if (is_unix(address->transport)) {
      if (alone) node.string += ":" + print_template(default_socket_path(actor, many)).value();
    } else if (service && !address->port) {
      if (std::optional<int> port = next_port(node.at)) {
        node.string += fmt::format("{}:{}", alone ? "://" : "", *port);
      }
    }
  }

 private:
  std::optional<int> next_port(Location at) {
    if (kernel_ports_) return 0;
    while (taken_.contains(next_)) ++next_;
    if (next_ <= 65535) return next_++;
    mistakes_.push_back({at, "no port is left for this service", {}});
    return std::nullopt;
  }

  std::set<int> taken_;
  bool kernel_ports_;
  std::vector<Diagnostic>& mistakes_;
  int next_ = kFirstPort;
};

}  // namespace

void fill_in_addresses(Node& root, bool kernel_ports, std::vector<Diagnostic>& mistakes) {
  std::set<int> taken;
  collect_ports(root, taken);
  AddressFiller filler(std::move(taken), kernel_ports, mistakes);
  const auto members_of = [](Node& node, const char* key) -> std::span<Member> {
    Member* member = node.find(key);
    return member == nullptr ? std::span<Member>() : std::span(member->value.members);
  };
  for (auto& [name, name_at, actor] : members_of(root, "actors")) {
    const Member* count = actor.find("count");
    const bool many = count != nullptr && count->value.integer != 1;
    for (auto& [key, key_at, value] : actor.members) {
      const bool service = key == "listen" || key == "bind";
      if (service || key == "from") filler.fill(value, name, many, service);
    }
  }
  for (auto& [name, name_at, process] : members_of(root, "processes")) {
    for (auto& [key, key_at, value] : members_of(process, "ready")) {
      if (key != "listening") continue;
      filler.fill(value, name, false, true);
      for (Node& element : value.elements) filler.fill(element, name, false, true);
    }
  }
  for (auto& [name, name_at, relay] : members_of(root, "relays")) {
    if (Member* listen = relay.find("listen")) filler.fill(listen->value, name, false, true);
  }
}

}  // namespace netrig
