#include <algorithm>
#include <fmt/format.h>
#include <sys/socket.h>

#include "harness/scenario/build.h"
#include "harness/sockets/socket_names.h"

namespace netrig {

namespace {

LingerOption build_linger(Reading& reading, const Node& node) {
  if (node.string == "off") return {};
  const Duration time = build_duration(reading, node);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  if (seconds != time) {
    reading.mistake(node.at, "SO_LINGER counts whole seconds",
                    {"socket(7): l_linger is in seconds"});
  }
  return {.on = true, .seconds = static_cast<int>(std::min<int64_t>(seconds.count(), 1 << 30))};
}

OptionSetting build_option(Reading& reading, const Member& member) {
  OptionSetting setting{member.key_at, member.key, int64_t{0}};
  const SocketOption* option = find_socket_option(member.key);
  if (option == nullptr) {
    reading.malformed(member.key_at, fmt::format("unknown socket option '{}'", member.key));
    return setting;
  }
  const Node& node = member.value;
  switch (option->kind) {
    case SocketOption::Kind::kInteger:
      setting.value = build_number(reading, node);
      break;
    case SocketOption::Kind::kLinger:
      setting.value = build_linger(reading, node);
      break;
    case SocketOption::Kind::kMicroseconds: {
      const Duration time = build_duration(reading, node);
      setting.value = Number{std::chrono::ceil<std::chrono::microseconds>(time).count()};
      break;
    }
    case SocketOption::Kind::kBytes:
      setting.value = Bytes(build_text(reading, node));
      break;
  }
  return setting;
}

// "POLLIN|POLLOUT", or a list of names.
short build_events(Reading& reading, const Node& node) {
  int events = 0;
  for (const std::string& joined : build_texts(reading, node)) {
    for (size_t start = 0; start <= joined.size();) {
      size_t end = std::min(joined.find('|', start), joined.size());
      const std::string name = joined.substr(start, end - start);
      start = end + 1;
      if (auto event = find_bit(poll_events(), name)) {
        events |= *event;
      } else {
        reading.malformed(node.at, fmt::format("unknown poll event '{}'", name));
      }
    }
  }
  return static_cast<short>(events);
}

SocketArguments named_socket_type(std::string_view name) {
  if (name == "tcp") return {AF_INET, SOCK_STREAM, 0};
  if (name == "tcp6") return {AF_INET6, SOCK_STREAM, 0};
  if (name == "udp") return {AF_INET, SOCK_DGRAM, 0};
  if (name == "udp6") return {AF_INET6, SOCK_DGRAM, 0};
  if (name == "unix") return {AF_UNIX, SOCK_STREAM, 0};
  if (name == "unix_dgram") return {AF_UNIX, SOCK_DGRAM, 0};
  if (name == "unix_seqpacket") return {AF_UNIX, SOCK_SEQPACKET, 0};
  return {AF_UNSPEC, 0, 0};
}

}  // namespace

std::vector<OptionSetting> build_options(Reading& reading, const Node& node) {
  std::vector<OptionSetting> settings;
  for (const Member& member : node.members) settings.push_back(build_option(reading, member));
  return settings;
}

std::string build_option_name(Reading& reading, const Node& node) {
  std::string name = build_text(reading, node);
  if (find_socket_option(name) == nullptr) {
    reading.malformed(node.at, fmt::format("unknown socket option '{}'", name));
  }
  return name;
}

int build_flags(Reading& reading, const Node& node) {
  int flags = 0;
  for (const std::string& name : build_texts(reading, node)) {
    if (auto flag = find_bit(message_flags(), name)) {
      flags |= *flag;
    } else {
      reading.malformed(node.at, fmt::format("unknown flag '{}'", name));
    }
  }
  return flags;
}

SocketArguments build_socket_type(Reading& reading, const Node& node) {
  if (node.kind == Node::Kind::kString) {
    SocketArguments type = named_socket_type(node.string);
    if (type.domain == AF_UNSPEC) reading.malformed(node.at, "unknown kind of socket");
    return type;
  }
  SocketArguments type;
  auto value = [&](const char* key, const std::vector<NamedBit>& table) {
    const Node* name = value_of(node, key);
    std::optional<int> bit = name == nullptr ? std::nullopt : find_bit(table, name->string);
    if (!bit) reading.malformed(node.at, fmt::format("'{}' is missing or unknown", key));
    return bit.value_or(0);
  };
  type.domain = value("domain", socket_domains());
  type.type = value("type", socket_types());
  if (const Node* protocol = value_of(node, "protocol")) {
    type.protocol = static_cast<int>(build_integer(reading, *protocol, 0, 65535));
  }
  return type;
}

PollArguments build_poll(Reading& reading, const Node& node, const Node* timeout) {
  PollArguments poll;
  for (const auto& [key, key_at, value] : node.members) {
    reading.use_socket(key_at, key);
    PollArguments::Entry entry{key_at, key, 0, std::nullopt};
    if (value.kind == Node::Kind::kObject) {
      if (const Node* events = value_of(value, "events"))
        entry.events = build_events(reading, *events);
      if (const Node* ready = value_of(value, "ready")) entry.ready = build_events(reading, *ready);
    } else {
      entry.events = build_events(reading, value);
    }
    poll.entries.push_back(std::move(entry));
  }
  if (timeout != nullptr) poll.timeout = build_duration(reading, *timeout);
  return poll;
}

}  // namespace netrig
