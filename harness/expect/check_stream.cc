// The octets that one end of a connection sent, put together from the capture.

#include <algorithm>
#include <fmt/format.h>

#include "harness/base/text.h"
#include "harness/capture/stream.h"
#include "harness/expect/checks.h"
#include "harness/run/matching.h"

namespace netrig {

namespace {

constexpr std::string_view kUnix = "unix:";
constexpr size_t kConversationsShown = 5;

// How an end of the stream shows in a capture.
struct End {
  std::vector<IpAddress> addresses;
  std::optional<Endpoint> endpoint;   // where the expectation names a port
  std::vector<std::string> services;  // interface names, "unix:/run/app.sock"
  bool may_connect = false;           // somebody there is no mere listener
};

std::optional<std::string> text_variable(Evidence& evidence, const std::string& name) {
  std::expected<Value, std::string> value = evidence.variables().lookup(name);
  if (!value || !std::holds_alternative<Bytes>(*value)) return std::nullopt;
  return std::get<Bytes>(*std::move(value));
}

// A host's name, or an address or a Unix service itself (where there was no run).
End end_of(const std::string& host, Evidence& evidence) {
  End end;
  if (const std::optional<IpAddress> literal = IpAddress::parse(host)) {
    end.addresses.push_back(*literal);
  } else if (host.starts_with(kUnix)) {
    end.services.push_back(host);
  } else if (const Parsed<Endpoint> endpoint = Endpoint::parse(host)) {
    end.endpoint = *endpoint;
  }
  std::vector<std::string> names = {host};
  const Scenario& scenario = evidence.scenario();
  const auto add = [&](const auto& all) {
    for (const auto& one : all) {
      if (one.host == host && one.name != host) names.push_back(one.name);
    }
  };
  add(scenario.actors);
  add(scenario.processes);
  add(scenario.relays);
  end.may_connect =
      std::ranges::none_of(scenario.actors, [&](const Actor& one) { return one.host == host; }) ||
      std::ranges::any_of(scenario.actors, [&](const Actor& one) {
        return one.host == host && one.opening != Opening::kListen;
      });
  for (const std::string& name : names) {
    for (const char* suffix : {".address", ".address6"}) {
      const std::optional<std::string> text = text_variable(evidence, name + suffix);
      const std::optional<IpAddress> address = text ? IpAddress::parse(*text) : std::nullopt;
      if (address) end.addresses.push_back(*address);
    }
    const std::optional<std::string> path = text_variable(evidence, name + ".path");
    if (!path || host_of(scenario, name) != host) continue;
    const bool is_abstract = path->starts_with('\0');  // as in sun_path
    end.services.push_back(
        (is_abstract ? Endpoint::unix_abstract(path->substr(1)) : Endpoint::unix_path(*path))
            .to_string());
  }
  return end;
}

bool has(const End& end, const Endpoint& endpoint) {
  return end.endpoint == endpoint ||
         std::ranges::find(end.addresses, endpoint.address()) != end.addresses.end();
}

bool serves(const End& end, const std::string& service) {
  return std::ranges::find(end.services, service) != end.services.end();
}

std::string service_of(const Recording& recording, const Conversation& conversation) {
  if (conversation.packets.empty()) return "";
  const uint32_t interface = recording.packets[conversation.packets.front()].interface;
  if (interface >= recording.interfaces.size()) return "";
  const std::string& name = recording.interfaces[interface].name;
  return name.starts_with(kUnix) ? name : "";
}

// True if a relay of `from` forwards to `to`.
bool forwards(const Scenario& scenario, const std::string& from, const std::string& to) {
  return std::ranges::any_of(scenario.relays, [&](const Relay& relay) {
    return relay.host == from && !relay.to.actor.empty() && host_of(scenario, relay.to.actor) == to;
  });
}

// Frames of a Unix socket carry no hosts. Where one end is a relay to the other, what they have in
// common are the connections that the relay made: its own service is for others.
void leave_out_service_of_relay(const Scenario& scenario, const StreamExpectation& expected,
                                End& from, End& to) {
  if (forwards(scenario, expected.from, expected.to)) from.services.clear();
  if (forwards(scenario, expected.to, expected.from)) to.services.clear();
}

// What `from` sent to `to` in the conversation, if they are its ends. Of a Unix socket's frames the
// service's host tells the direction, and anybody who may connect is taken for its peer.
const StreamDirection* sent_by(const End& from, const End& to, const Conversation& conversation,
                               const std::string& service) {
  if (!service.empty()) {
    if (serves(to, service) && from.may_connect) return &conversation.from_client;
    if (serves(from, service) && to.may_connect) return &conversation.from_server;
    return nullptr;
  }
  if (has(from, conversation.client) && has(to, conversation.server)) {
    return &conversation.from_client;
  }
  if (has(from, conversation.server) && has(to, conversation.client)) {
    return &conversation.from_server;
  }
  return nullptr;
}

Finding no_such_connection(const StreamExpectation& expected, Location at, int64_t found,
                           const std::vector<Conversation>& all) {
  std::vector<std::string> details;
  for (const Conversation& conversation : all) {
    if (details.size() == kConversationsShown) {
      details.push_back(fmt::format("... {} more", all.size() - kConversationsShown));
      break;
    }
    details.push_back(fmt::format("captured: {} > {}", conversation.client.to_string(),
                                  conversation.server.to_string()));
  }
  if (all.empty()) details.push_back("no connection was captured");
  return finding_at(
      at,
      fmt::format("expected connection {} between {} and {}, got {}", expected.connection,
                  expected.from, expected.to, plural(static_cast<uint64_t>(found), "connection")),
      std::move(details));
}

}  // namespace

Findings check_stream(const Expectation& expectation, Evidence& evidence) {
  const auto& expected = std::get<StreamExpectation>(expectation.what);
  const auto recording = evidence.recording();
  if (!recording) return {finding_at(expectation.at, recording.error())};
  End from = end_of(expected.from, evidence);
  End to = end_of(expected.to, evidence);
  leave_out_service_of_relay(evidence.scenario(), expected, from, to);
  const std::vector<Conversation> all = reassemble(**recording);

  int64_t found = 0;
  const StreamDirection* stream = nullptr;
  for (const Conversation& conversation : all) {
    stream = sent_by(from, to, conversation, service_of(**recording, conversation));
    if (stream != nullptr && ++found == expected.connection) break;
    stream = nullptr;
  }
  if (stream == nullptr) return {no_such_connection(expected, expectation.at, found, all)};

  const std::string name =
      fmt::format("{} -> {}, connection {}", expected.from, expected.to, expected.connection);
  std::optional<Mismatch> mismatch =
      match_message(expected.is, stream->octets, evidence.variables(), evidence.seed(), nullptr);
  const std::string gap =
      fmt::format("octets after the first {} are missing in the capture", stream->octets.size());
  if (mismatch) {
    if (stream->gap) mismatch->details.push_back(gap);
    return {finding_at(expected.is.at, fmt::format("{}: {}", name, mismatch->message),
                       std::move(mismatch->details))};
  }
  if (stream->gap) return {finding_at(expected.is.at, fmt::format("{}: {}", name, gap))};
  return {};
}

}  // namespace netrig
