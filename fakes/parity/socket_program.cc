#include "fakes/parity/socket_program.h"

#include <algorithm>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <ostream>
#include <poll.h>
#include <sys/socket.h>

#include "fakes/parity/program_places.h"
#include "fakes/parity/program_words.h"

namespace netrig {
namespace {

struct Kind {
  const char* name;
  int domain;
  int type;
};
constexpr Kind kKinds[] = {{"tcp", AF_INET, SOCK_STREAM},
                           {"udp", AF_INET, SOCK_DGRAM},
                           {"unix", AF_UNIX, SOCK_STREAM},
                           {"unix_dgram", AF_UNIX, SOCK_DGRAM},
                           {"unix_seqpacket", AF_UNIX, SOCK_SEQPACKET},
                           {"tcp6", AF_INET6, SOCK_STREAM},
                           {"udp6", AF_INET6, SOCK_DGRAM}};
constexpr Kind kInetKinds[] = {kKinds[0], kKinds[1], kKinds[5], kKinds[6]};
constexpr Kind kUnixKinds[] = {kKinds[2], kKinds[4], kKinds[3]};
constexpr size_t kSizes[] = {1, 5, 0, 100, 1000, 3000, 2, 7};
constexpr size_t kBufferSizes[] = {4096, 3, 0, 1, 100, 65536};
constexpr int kHows[] = {SHUT_WR, SHUT_RD, SHUT_RDWR, 7};
constexpr size_t kSocketsMax = 24;
constexpr size_t kLarge = 20'000;  // more than an initial window, less than a buffer
constexpr int64_t kPatienceUs = 5000;

class Runner {
 public:
  Runner(World& world, const SocketProgram& program, const SocketPlaces& places)
      : program_(program),
        hosts_{&world.host("a"), &world.host("b")},
        places_(world, program.one_host, places) {}

  void run() {
    for (const SocketStep& step : program_.steps) {
      ++number_;
      play(step);
    }
    for (Slot& slot : slots_) {
      if (slot.open) (void)slot.api->close(slot.socket);
    }
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  struct Slot {
    SocketApi* api = nullptr;
    Socket socket;
    Kind kind{};
    size_t host = 0;
    bool open = true;
    bool sent_much = false;
  };

  void tell(const std::string& line) { lines_.push_back(fmt::format("{} {}", number_, line)); }
  template <typename T>
  static std::string told(const Result<T>& result) {
    if (!result) return result.error().name();
    if constexpr (std::is_same_v<T, void>) {
      return "ok";
    } else {
      return fmt::format("{}", *result);
    }
  }

  size_t add(size_t host, Socket socket, const Kind& kind) {
    slots_.push_back({hosts_[host], socket, kind, host, true});
    Slot& slot = slots_.back();
    (void)slot.api->set_nonblocking(socket, true);
    // No timer decides when a small write leaves.
    if (kind.type == SOCK_STREAM && kind.domain != AF_UNIX) {
      (void)slot.api->setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    }
    return slots_.size() - 1;
  }

  const Kind& chosen_kind(uint8_t choice) const {
    switch (program_.families) {
      case SocketFamilies::kUnix:
        return kUnixKinds[choice % std::size(kUnixKinds)];
      case SocketFamilies::kInet:
        return kInetKinds[choice % std::size(kInetKinds)];
      case SocketFamilies::kAll:
        break;
    }
    return kKinds[choice % std::size(kKinds)];
  }

  size_t host_of(uint8_t detail) const { return program_.one_host ? 0 : detail % 2; }

  std::optional<size_t> make(const Kind& kind, size_t host) {
    if (slots_.size() >= kSocketsMax) return std::nullopt;
    const auto made = hosts_[host]->socket(kind.domain, kind.type, 0);
    if (!made) {
      tell(fmt::format("socket {} -> {}", kind.name, made.error().name()));
      return std::nullopt;
    }
    const size_t slot = add(host, *made, kind);
    tell(fmt::format("s{} = socket {} on {}", slot, kind.name, host == 0 ? "a" : "b"));
    return slot;
  }

  void play(const SocketStep& step) {
    switch (step.call) {
      case SocketCall::kSocket:
        make(chosen_kind(step.choice), host_of(step.detail));
        return;
      case SocketCall::kPair:
        return pair(step);
      case SocketCall::kConnectedTcp:
        if (program_.families == SocketFamilies::kUnix) return;
        return connected(step.choice % 2 == 0 ? kKinds[0] : kKinds[5], step);
      case SocketCall::kConnectedUnix:
        if (program_.families == SocketFamilies::kInet) return;
        return connected(kUnixKinds[step.choice % 2], step);
      case SocketCall::kBoundUdp:
        if (program_.families == SocketFamilies::kUnix) return;
        return bound_udp(step);
      case SocketCall::kCrowd:
        return crowd(step);
      default:
        break;
    }
    if (slots_.empty()) return;
    const size_t index = step.socket % slots_.size();
    if (is_given_again(slots_[index])) return;
    const std::string line = call(index, slots_[index], step);
    if (!line.empty()) tell(line);
  }

  std::string call(size_t index, Slot& slot, const SocketStep& step) {
    SocketApi& api = *slot.api;
    const Socket s = slot.socket;
    switch (step.call) {
      case SocketCall::kBind: {
        const Endpoint where = places_.endpoint(slot.kind.domain, slot.host, step.choice);
        if (would_join_group(slot, where)) return "";
        return fmt::format("bind s{} {} -> {}", index, places_.shown(where),
                           told(api.bind(s, where)));
      }
      case SocketCall::kListen:
        if (const auto local = api.getsockname(s); local && would_join_group(slot, *local)) {
          return "";
        }
        return fmt::format("listen s{} {} -> {}", index, step.choice % 3,
                           told(api.listen(s, step.choice % 3)));
      case SocketCall::kConnect: {
        if (bound_by_kernel(slot, program_.one_host) || speaks_both(slot)) return "";
        const Endpoint where = places_.endpoint(slot.kind.domain, slot.host, step.choice);
        return fmt::format("connect s{} {} -> {}", index, places_.shown(where),
                           told(api.connect(s, where)));
      }
      case SocketCall::kAccept:
        return accept(index, step);
      case SocketCall::kSend: {
        const Bytes data = payload(step);
        const auto [flags, word] = send_flags(slot, step);
        return fmt::format("send s{} {}{} -> {}", index, data.size(), word,
                           told(api.send(s, data, flags)));
      }
      case SocketCall::kSendTo: {
        if (speaks_both(slot)) return "";
        const Bytes data = payload(step);
        const Endpoint where = places_.endpoint(slot.kind.domain, slot.host, step.choice);
        return fmt::format("sendto s{} {} {} -> {}", index, data.size(), places_.shown(where),
                           told(api.sendto(s, data, 0, where)));
      }
      case SocketCall::kReceive:
      case SocketCall::kReceiveFrom:
        return receive(index, slot, step);
      case SocketCall::kShutdown: {
        const int how = kHows[step.choice % std::size(kHows)];
        return fmt::format("shutdown s{} {} -> {}", index, how, told(api.shutdown(s, how)));
      }
      case SocketCall::kClose:
        return close(index, slot, step);
      case SocketCall::kLocalName:
        return fmt::format("getsockname s{} -> {}", index, name(api.getsockname(s)));
      case SocketCall::kPeerName:
        return fmt::format("getpeername s{} -> {}", index, name(api.getpeername(s)));
      case SocketCall::kGetOption:
      case SocketCall::kSetOption:
        return option(index, slot, step);
      case SocketCall::kPoll: {
        PollEntry entry{s, POLLIN | POLLPRI | POLLOUT | POLLRDHUP, 0};
        const auto ready = api.poll({&entry, 1}, Duration{0});
        return fmt::format("poll s{} -> {}", index,
                           ready ? poll_words(entry.revents) : ready.error().name());
      }
      case SocketCall::kSendMessage:
        return send_message(index, slot, step);
      case SocketCall::kReceiveMessage:
        return receive_message(index, slot, step);
      case SocketCall::kWait:
        return wait(index, slot, step);
      case SocketCall::kLargeSend: {
        if (slot.kind.type != SOCK_STREAM || slot.kind.domain == AF_UNIX || slot.sent_much) {
          return "";
        }
        slot.sent_much = true;
        const Bytes data(kLarge, static_cast<char>('A' + number_ % 26));
        return fmt::format("send s{} {} -> {}", index, kLarge, told(api.send(s, data, 0)));
      }
      case SocketCall::kReadable:
        return fmt::format("FIONREAD s{} -> {}", index, told(api.readable_octets(s)));
      default:
        return "";
    }
  }

  // Which socket of a SO_REUSEPORT group gets a datagram or connection is the kernel's secret hash.
  // TCP sockets may be bound together, but only one of them listens.
  bool would_join_group(const Slot& slot, const Endpoint& where) const {
    const auto asks = [](const Slot& each) {
      return each.api->getsockopt(each.socket, SOL_SOCKET, SO_REUSEPORT).value_or(0) != 0;
    };
    const auto type = [](const Slot& each) {
      return each.api->getsockopt(each.socket, SOL_SOCKET, SO_TYPE).value_or(0);
    };
    if (where.kind() != Endpoint::Kind::kIp || where.port() == 0 || !asks(slot)) return false;
    return std::any_of(slots_.begin(), slots_.end(), [&](const Slot& other) {
      if (other.api == slot.api && other.socket == slot.socket) return false;
      if (type(other) != type(slot) || !asks(other)) return false;
      const auto local = other.api->getsockname(other.socket);
      if (!local || local->kind() != Endpoint::Kind::kIp || local->port() != where.port())
        return false;
      return type(slot) == SOCK_DGRAM ||
             other.api->getsockopt(other.socket, SOL_SOCKET, SO_ACCEPTCONN).value_or(0) != 0;
    });
  }

  // A UDP socket that the kernel bound to a port when it first sent: on `real`, where all hosts are
  // on lo, its connect() takes the peer's address for its own. (One of IPv6 may then have an
  // address of each family, see below.)
  static bool bound_by_kernel(const Slot& slot, bool one_host) {
    const auto option = [&](int name) {
      return slot.api->getsockopt(slot.socket, SOL_SOCKET, name).value_or(0);
    };
    if (option(SO_TYPE) != SOCK_DGRAM || (one_host && option(SO_DOMAIN) != AF_INET6)) return false;
    const auto local = slot.api->getsockname(slot.socket);
    return local && local->kind() == Endpoint::Kind::kIp && local->port() != 0 &&
           local->address().is_unspecified();
  }

  // A closed slot's number may be that of another socket. An IPv6 UDP socket that has an IPv6
  // address by connect() takes an IPv4 peer, too, and has two addresses then: nobody does that.
  static bool speaks_both(const Slot& slot) {
    const auto option = [&](int name) {
      return slot.api->getsockopt(slot.socket, SOL_SOCKET, name).value_or(0);
    };
    return slot.kind.domain == AF_INET && option(SO_DOMAIN) == AF_INET6 &&
           option(SO_TYPE) == SOCK_DGRAM;
  }

  // A closed one whose number another has now: what its kind may do would be said of the other.
  bool is_given_again(const Slot& slot) const {
    return !slot.open && std::ranges::any_of(slots_, [&](const Slot& other) {
      return other.open && other.api == slot.api && other.socket == slot.socket;
    });
  }

  std::string name(const Result<Endpoint>& endpoint) const {
    return endpoint ? places_.shown(*endpoint) : endpoint.error().name();
  }

  // Not MSG_MORE of TCP: whether a segment of the peer's pushes what is held depends on header
  // prediction.
  static std::pair<int, const char*> send_flags(const Slot& slot, const SocketStep& step) {
    if (slot.kind.domain == AF_UNIX) return {0, ""};
    switch (step.choice % 8) {
      case 5:
        return {MSG_OOB, " OOB"};
      case 6:
        if (slot.kind.type == SOCK_STREAM) return {0, ""};
        return {MSG_MORE, " MORE"};
      default:
        return {0, ""};
    }
  }

  Bytes payload(const SocketStep& step) const {
    return Bytes(kSizes[step.detail % std::size(kSizes)], static_cast<char>('A' + number_ % 26));
  }

  std::string accept(size_t index, const SocketStep&) {
    Slot listener = slots_[index];
    if (slots_.size() >= kSocketsMax) return "";
    const auto accepted = listener.api->accept(listener.socket);
    if (!accepted) return fmt::format("accept s{} -> {}", index, accepted.error().name());
    const size_t slot = add(listener.host, accepted->socket, listener.kind);
    return fmt::format("s{} = accept s{} -> {}", slot, index, places_.shown(accepted->peer));
  }

  std::string receive(size_t index, const Slot& slot, const SocketStep& step) {
    constexpr std::pair<int, const char*> kFlags[] = {
        {0, ""}, {MSG_OOB, " OOB"},        {MSG_PEEK, " PEEK"}, {MSG_TRUNC, " TRUNC"},
        {0, ""}, {MSG_WAITALL, " WAITALL"}};
    const auto [flags, word] = kFlags[step.choice % std::size(kFlags)];
    Bytes buffer(kBufferSizes[step.detail % std::size(kBufferSizes)], '\0');
    // MSG_TRUNC of a TCP socket throws octets away, here and there.
    const bool stream = slot.kind.type == SOCK_STREAM;
    int used = stream ? flags & ~MSG_TRUNC : flags;
    // Urgent octets of Unix streams are not modelled (fakes/README.md).
    if (slot.kind.domain == AF_UNIX) used &= ~MSG_OOB;
    const auto got = slot.api->recvfrom(slot.socket, buffer, used);
    const bool named = step.call == SocketCall::kReceiveFrom;
    const std::string what = fmt::format("{} s{} {}{}", named ? "recvfrom" : "recv", index,
                                         buffer.size(), used == 0 ? "" : word);
    if (!got) return fmt::format("{} -> {}", what, got.error().name());
    const size_t copied = std::min(got->size, buffer.size());
    std::string line = fmt::format("{} -> {} {}", what, got->size,
                                   run_lengths(ByteView(buffer).substr(0, copied)));
    if (named && !stream) line += " from " + places_.shown(got->from);
    return line;
  }

  std::string close(size_t index, Slot& slot, const SocketStep& step) {
    const bool reset = step.choice % 4 == 3;
    if (reset) (void)slot.api->set_linger(slot.socket, {true, 0});
    const auto closed = slot.api->close(slot.socket);
    slot.open = false;
    return fmt::format("close s{}{} -> {}", index, reset ? " linger 0" : "", told(closed));
  }

  std::string option(size_t index, const Slot& slot, const SocketStep& step) {
    const auto options = program_options();
    const SocketOption& which = options[step.choice % options.size()];
    if (step.call == SocketCall::kSetOption && which.settable) {
      const int64_t value = step.detail % 3;
      return fmt::format("setsockopt s{} {} {} -> {}", index, which.name, value,
                         told(slot.api->setsockopt(slot.socket, which.level, which.option, value)));
    }
    return fmt::format("getsockopt s{} {} -> {}", index, which.name,
                       told(slot.api->getsockopt(slot.socket, which.level, which.option)));
  }

  void pair(const SocketStep& step) {
    if (program_.families == SocketFamilies::kInet) return;
    if (slots_.size() + 2 > kSocketsMax) return;
    const Kind& kind = kUnixKinds[step.choice % std::size(kUnixKinds)];
    const size_t host = host_of(step.detail);
    const auto made = hosts_[host]->socketpair(kind.domain, kind.type, 0);
    if (!made) return tell(fmt::format("socketpair {} -> {}", kind.name, made.error().name()));
    const size_t first = add(host, made->first, kind);
    const size_t second = add(host, made->second, kind);
    tell(fmt::format("s{}, s{} = socketpair {}", first, second, kind.name));
  }

  // A socket bound to a place, another beside it or on the other host, and the place.
  struct Met {
    size_t server = 0;
    size_t client = 0;
    Endpoint where;
  };
  std::optional<Met> meet(const Kind& kind, const SocketStep& step) {
    const size_t host = host_of(step.detail);
    const auto server = make(kind, host);
    const auto client = make(kind, program_.one_host ? 0 : 1 - host);
    if (!server || !client) return std::nullopt;
    const Endpoint where =
        places_.endpoint(kind.domain, host, static_cast<uint8_t>(step.socket % 3));
    tell(fmt::format("bind s{} {} -> {}", *server, places_.shown(where),
                     told(slots_[*server].api->bind(slots_[*server].socket, where))));
    return Met{*server, *client, where};
  }
  void connect(size_t index, const Endpoint& where) {
    tell(fmt::format("connect s{} -> {}", index,
                     told(slots_[index].api->connect(slots_[index].socket, where))));
  }
  void listen(size_t index, int backlog) {
    tell(fmt::format("listen s{} -> {}", index,
                     told(slots_[index].api->listen(slots_[index].socket, backlog))));
  }

  void connected(const Kind& kind, const SocketStep& step) {
    const auto met = meet(kind, step);
    if (!met) return;
    listen(met->server, 2);
    connect(met->client, met->where);
    tell(accept(met->server, step));
  }

  void bound_udp(const SocketStep& step) {
    const auto met = meet(kKinds[step.choice % 2 == 0 ? 1 : 6], step);
    if (met) connect(met->client, met->where);
  }

  // More clients than a listener's queue takes.
  void crowd(const SocketStep& step) {
    const Kind& kind = chosen_kind(step.choice);
    if (kind.type == SOCK_DGRAM) return;
    const auto met = meet(kind, step);
    if (!met) return;
    listen(met->server, step.choice % 2);
    connect(met->client, met->where);
    for (int more = 0; more < 2; ++more) {
      if (const auto client = make(kind, slots_[met->client].host)) connect(*client, met->where);
    }
  }

  // Sockets of the same host go along with what a Unix socket sends.
  std::string send_message(size_t index, const Slot& slot, const SocketStep& step) {
    if (slot.kind.domain != AF_UNIX) return "";
    ControlData control;
    const Slot& other = slots_[step.choice % slots_.size()];
    if (step.choice % 3 != 0 && other.open && other.api == slot.api) {
      control.rights.assign(1 + step.detail % 2, other.socket);
    }
    if (step.choice % 4 == 0) control.credentials.push_back({});
    const Bytes data = payload(step);
    const ByteView view = data;
    const auto sent = slot.api->sendmsg(slot.socket, {&view, 1}, 0, nullptr, control);
    return fmt::format("sendmsg s{} {} rights {} credentials {} -> {}", index, data.size(),
                       control.rights.size(), control.credentials.size(), told(sent));
  }

  std::string receive_message(size_t index, const Slot& slot, const SocketStep& step) {
    Bytes buffer(kBufferSizes[step.detail % std::size(kBufferSizes)], '\0');
    const std::span<char> part(buffer);
    const int flags = step.choice % 3 == 2 ? MSG_PEEK : 0;
    const auto got = slot.api->recvmsg(slot.socket, {&part, 1}, flags);
    const std::string what =
        fmt::format("recvmsg s{} {}{}", index, buffer.size(), flags == 0 ? "" : " PEEK");
    if (!got) return fmt::format("{} -> {}", what, got.error().name());
    std::string rights;
    for (const Socket right : got->control.rights) {
      rights += fmt::format(" type {}", told(slot.api->getsockopt(right, SOL_SOCKET, SO_TYPE)));
      (void)slot.api->close(right);
    }
    std::string credentials;
    for (const Credentials& who : got->control.credentials) {
      credentials += who.pid > 0 ? " credentials" : " nobody";
    }
    return fmt::format("{} -> {} {} flags {}{}{}", what, got->size,
                       run_lengths(ByteView(buffer).substr(0, std::min(got->size, buffer.size()))),
                       message_flag_words(got->flags), rights, credentials);
  }

  // A blocking call with SO_RCVTIMEO or SO_SNDTIMEO: nobody else is there to end it earlier.
  std::string wait(size_t index, const Slot& slot, const SocketStep& step) {
    SocketApi& api = *slot.api;
    const Socket s = slot.socket;
    (void)api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, kPatienceUs);
    (void)api.setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, kPatienceUs);
    (void)api.set_nonblocking(s, false);
    std::string line;
    switch (step.choice % 4) {
      case 0: {
        Bytes buffer(kBufferSizes[step.detail % std::size(kBufferSizes)], '\0');
        line = fmt::format("waiting recv s{} {} -> {}", index, buffer.size(),
                           told(api.recv(s, buffer, 0)));
        break;
      }
      case 1: {
        Bytes buffer(kBufferSizes[step.detail % std::size(kBufferSizes)], '\0');
        line = fmt::format("waiting recv s{} {} WAITALL -> {}", index, buffer.size(),
                           told(api.recv(s, buffer, MSG_WAITALL)));
        break;
      }
      case 2:
        line = "waiting " + accept(index, step);
        break;
      default:
        line = fmt::format("waiting send s{} -> {}", index, told(api.send(s, payload(step), 0)));
    }
    if (slots_[index].open) (void)api.set_nonblocking(s, true);
    return line;
  }

  const SocketProgram& program_;
  SocketApi* hosts_[2];
  ProgramPlaces places_;
  std::vector<Slot> slots_;
  std::vector<std::string> lines_;
  size_t number_ = 0;
};

constexpr const char* kCallNames[kSocketCalls] = {
    "socket",        "bind",           "listen",     "connect",  "accept",   "send",
    "sendto",        "recv",           "recvfrom",   "shutdown", "close",    "getsockname",
    "getpeername",   "getsockopt",     "setsockopt", "poll",     "FIONREAD", "socketpair",
    "connected tcp", "connected unix", "bound udp",  "sendmsg",  "recvmsg",  "waiting",
    "large send",    "crowd"};

}  // namespace

std::ostream& operator<<(std::ostream& out, const SocketProgram& program) {
  out << (program.one_host ? "on one host:" : "on two hosts:") << '\n';
  for (const SocketStep& step : program.steps) {
    out << fmt::format("  {{{}, {}, {}, {}}}  {}\n", static_cast<int>(step.call), step.socket,
                       step.choice, step.detail, kCallNames[static_cast<size_t>(step.call)]);
  }
  return out;
}

std::vector<std::string> run_program(World& world, const SocketProgram& program,
                                     const SocketPlaces& places) {
  Runner runner(world, program, places);
  world.loop().spawn("program", [&] { runner.run(); });
  world.loop().run();
  return runner.take();
}

}  // namespace netrig
