#include <sys/socket.h>

#include "harness/scenario/address_text.h"
#include "harness/scenario/build.h"

namespace netrig {

namespace {

// Names of sockets that are passed on.
std::vector<std::string> build_used_sockets(Reading& reading, const Node& node) {
  std::vector<std::string> names = build_texts(reading, node);
  for (size_t i = 0; i < names.size() && i < node.elements.size(); ++i) {
    reading.use_socket(node.elements[i].at, names[i]);
  }
  return names;
}

SendArguments build_send(Reading& reading, const Node& node, const Node& value) {
  SendArguments send{build_payload(reading, value), {}, {}, false};
  if (const Node* to = value_of(node, "to"))
    send.to = build_target(reading, *to, TargetUse::kReach);
  if (const Node* rights = value_of(node, "rights"))
    send.rights = build_used_sockets(reading, *rights);
  if (const Node* flag = value_of(node, "credentials"))
    send.credentials = build_boolean(reading, *flag);
  return send;
}

// Conditions that say nothing of where a message ends.
void note_framing(Reading& reading, const Node& matcher) {
  if (matcher.kind == Node::Kind::kArray && !matcher.elements.empty()) {
    note_framing(reading, matcher.elements.back());
  }
  if (const Node* one_of = value_of(matcher, "any_of")) {
    for (const Node& one : one_of->elements) note_framing(reading, one);
  }
  if (is_payload_object(matcher) || matcher.find("length") || matcher.find("until") ||
      matcher.find("line"))
    return;
  for (const Member& member : matcher.members) {
    const std::string& key = member.key;
    if (key != "prefix" && key != "contains" && key != "matches" && key != "size" &&
        key != "sha256" && key != "not") {
      continue;
    }
    reading.scope().unframed.push_back({member.key_at, key});
    return;
  }
}

bool is_on_opening(const Node& node) {
  const Node* on = value_of(node, "on");
  return on == nullptr || on->string == "connection";
}

RecvArguments build_recv(Reading& reading, const Node& node, const Node& value) {
  RecvArguments recv{build_matcher(reading, value)};
  if (is_on_opening(node)) note_framing(reading, value);
  return recv;
}

CollectArguments build_collect(Reading& reading, const Node& node, const Node& value) {
  CollectArguments collect{build_matcher(reading, value), {}, {}, {}};
  const Node* until = value_of(node, "until");
  if (until == nullptr) {
    const ActorOutline* actor = reading.scope().outline;
    if (is_on_opening(node) && actor != nullptr && actor->transport &&
        !has_connections(*actor->transport)) {
      reading.mistake(value.at, "on datagrams 'collect' needs 'until'",
                      {"datagrams have no end: \"until\": { \"idle\": \"500ms\" }"});
    }
    return collect;
  }
  if (const Node* idle = value_of(*until, "idle")) collect.idle = build_duration(reading, *idle);
  if (const Node* count = value_of(*until, "count")) collect.count = build_number(reading, *count);
  if (const Node* time = value_of(*until, "time")) collect.time = build_duration(reading, *time);
  return collect;
}

ReadArguments build_read(Reading& reading, const Node& node, const Node& value) {
  ReadArguments read;
  if (value.kind == Node::Kind::kArray) {
    for (const Node& size : value.elements) read.sizes.push_back(build_size(reading, size));
  } else {
    read.sizes.push_back(build_size(reading, value));
  }
  if (const Node* data = value_of(node, "data")) read.data = build_matcher(reading, *data);
  if (const Node* from = value_of(node, "from")) {
    read.from = build_target(reading, *from, TargetUse::kOrigin);
  }
  if (const Node* flags = value_of(node, "message_flags")) {
    build_flags(reading, *flags);
    read.message_flags = build_texts(reading, *flags);
  }
  if (const Node* rights = value_of(node, "rights")) {
    read.rights = build_texts(reading, *rights);
    for (const std::string& name : read.rights) reading.define_socket(name);
  }
  if (const Node* flag = value_of(node, "credentials"))
    read.credentials = build_boolean(reading, *flag);
  return read;
}

ShutdownArguments build_shutdown(Reading& reading, const Node& value) {
  if (value.string == "read") return {SHUT_RD};
  if (value.string == "write") return {SHUT_WR};
  if (value.string != "both")
    reading.malformed(value.at, "one of read, write or both is expected here");
  return {SHUT_RDWR};
}

GetOptionArguments build_get_option(Reading& reading, const Node& node, const Node& value) {
  GetOptionArguments option{build_option_name(reading, value), {}};
  if (const Node* is = value_of(node, "is")) option.text = build_text(reading, *is);
  return option;
}

AddressArguments build_address_check(Reading& reading, const Node& value) {
  AddressArguments address;
  if (value.kind == Node::Kind::kString) address.text = build_template(reading, value);
  if (const Node* ip = value_of(value, "address")) address.address = build_template(reading, *ip);
  if (const Node* port = value_of(value, "port"))
    address.port = build_integer_range(reading, *port);
  return address;
}

// A step's own bind: what the file leaves open is left to the kernel, or has the usual path.
BindArguments build_bind(Reading& reading, const Node& value) {
  BindArguments bind{build_address(reading, value)};
  Address& address = bind.address;
  if (!is_unix(address.transport)) {
    address.port = address.port.value_or(0);
  } else if (address.path.segments.empty()) {
    address.path.at = value.at;
    address.path.segments = default_socket_path(reading.scope().actor, reading.scope().many);
  }
  return bind;
}

Steps build_inner_steps(Reading& reading, const Node& node, const std::string& path) {
  const Node* steps = value_of(node, "steps");
  return steps == nullptr ? Steps{} : build_steps(reading, *steps, path);
}

RepeatArguments build_repeat(Reading& reading, const Node& node, const Node& value,
                             const std::string& path) {
  RepeatArguments repeat{build_number(reading, value), {}, build_inner_steps(reading, node, path)};
  if (const Node* every = value_of(node, "every")) repeat.every = build_duration(reading, *every);
  return repeat;
}

ForArguments build_for(Reading& reading, const Node& node, const Node& value,
                       const std::string& path) {
  ForArguments loop{build_text(reading, value), {}, {}};
  reading.define_variable(value.at, loop.variable);
  if (const Node* values = value_of(node, "in")) {
    for (const Node& one : values->elements) {
      if (one.kind == Node::Kind::kInteger) {
        loop.values.emplace_back(one.integer);
      } else {
        loop.values.emplace_back(build_template(reading, one));
      }
    }
  }
  loop.steps = build_inner_steps(reading, node, path);
  return loop;
}

TogetherArguments build_together(Reading& reading, const Node& value, const std::string& path) {
  TogetherArguments together;
  for (size_t i = 0; i < value.elements.size(); ++i) {
    together.branches.push_back(
        build_steps(reading, value.elements[i], path + "." + std::to_string(i + 1)));
  }
  return together;
}

BarrierArguments build_barrier(Reading& reading, const Node& value) {
  if (reading.scope().in_each) {
    reading.mistake(value.at,
                    "a barrier inside 'each' would wait for connections that may never come");
  }
  return {build_text(reading, value)};
}

// Verbs that are one call of the socket API each.
void build_call(Reading& reading, const Node& node, Step& step, const Node& value) {
  switch (step.verb) {
    case Verb::kSocket:
    case Verb::kPair:
      reading.scope().makes_sockets = true;
      step.arguments = build_socket_type(reading, value);
      break;
    case Verb::kBind:
      step.arguments = build_bind(reading, value);
      break;
    case Verb::kListen:
      step.arguments = ListenArguments{build_number(reading, value)};
      break;
    case Verb::kConnect:
      step.arguments = ConnectArguments{build_target(reading, value, TargetUse::kReach)};
      break;
    case Verb::kRead:
    case Verb::kRecvFrom:
    case Verb::kRecvMsg:
      step.arguments = build_read(reading, node, value);
      break;
    case Verb::kShutdown:
      step.arguments = build_shutdown(reading, value);
      break;
    case Verb::kGetOption:
      step.arguments = build_get_option(reading, node, value);
      break;
    case Verb::kSetOption:
      step.arguments = SetOptionArguments{build_options(reading, value)};
      break;
    case Verb::kLocalAddress:
    case Verb::kPeerAddress:
      step.arguments = build_address_check(reading, value);
      break;
    case Verb::kPoll:
      step.arguments = build_poll(reading, value, value_of(node, "timeout"));
      break;
    default:  // eof accept close reset
      step.arguments = NoArguments{};
      break;
  }
}

}  // namespace

void build_arguments(Reading& reading, const Node& node, Step& step, const Node& value) {
  switch (step.verb) {
    case Verb::kSend:
    case Verb::kWrite:
    case Verb::kSendTo:
    case Verb::kSendMsg:
      step.arguments = build_send(reading, node, value);
      break;
    case Verb::kRecv:
      step.arguments = build_recv(reading, node, value);
      break;
    case Verb::kCollect:
      step.arguments = build_collect(reading, node, value);
      break;
    case Verb::kSleep:
      step.arguments = SleepArguments{build_duration(reading, value)};
      break;
    case Verb::kBarrier:
      step.arguments = build_barrier(reading, value);
      break;
    case Verb::kRepeat:
      step.arguments = build_repeat(reading, node, value, step.path);
      break;
    case Verb::kFor:
      step.arguments = build_for(reading, node, value, step.path);
      break;
    case Verb::kTogether:
      step.arguments = build_together(reading, value, step.path);
      break;
    default:
      build_call(reading, node, step, value);
      break;
  }
}

}  // namespace netrig
