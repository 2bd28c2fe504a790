#pragma once
// For tests of stacks. TwoHosts: a client's and a server's stack with a link between them in
// virtual time, which may drop, double and delay. Script: one stack against handwritten segments.
// Owned by a test.

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "fakes/tcp/stack.h"
#include "harness/base/chance.h"

namespace netrig::tcp {

inline const IpAddress kClientAddress = IpAddress::v4(10, 0, 0, 1);
inline const IpAddress kServerAddress = IpAddress::v4(10, 0, 0, 2);

inline bool moves(State state) {
  return state != State::kClosed && state != State::kTimeWait;
}

// What passes in one direction, and what happens to it.
struct Passing {
  uint64_t number = 0;  // of the direction, from 0
  bool to_server = false;
  Instant at;
  Segment segment;
  std::string activity;
};

class TwoHosts {
 public:
  struct Fate {
    bool drop = false;
    uint32_t copies = 1;
    Duration extra{0};
    std::optional<Ecn> mark;
  };

  explicit TwoHosts(uint64_t seed = 1)
      : to_server_(*this, true),
        to_client_(*this, false),
        client(to_server_, pool, {.seed = seed}),
        server(to_client_, pool, {.seed = seed + 1}) {}
  ~TwoHosts() {
    under_way_.clear();
    log.clear();
  }

  // ---- time
  Instant now() const { return now_; }
  bool step() {
    const Instant arrival = under_way_.empty() ? Instant::max() : under_way_.begin()->first.first;
    const Instant next = std::min({arrival, client.next_deadline(), server.next_deadline()});
    if (next == Instant::max()) return false;
    now_ = std::max(now_, next);
    if (arrival == next) {
      Passing passing = std::move(under_way_.begin()->second);
      under_way_.erase(under_way_.begin());
      if (passing.to_server) {
        server.process(now_, kClientAddress, kServerAddress, std::move(passing.segment));
      } else {
        client.process(now_, kServerAddress, kClientAddress, std::move(passing.segment));
      }
    }
    client.expire(now_);
    server.expire(now_);
    if (each_step) each_step();
    return true;
  }
  void run_for(Duration duration) {
    const Instant end = now_ + duration;
    while (true) {
      const Instant arrival = under_way_.empty() ? Instant::max() : under_way_.begin()->first.first;
      if (std::min({arrival, client.next_deadline(), server.next_deadline()}) > end) break;
      step();
    }
    now_ = end;
  }

  // ---- sockets
  void listen(const ConnectionOptions& options = {}, size_t backlog = 10, uint16_t port = 80) {
    listener = *server.listen({kServerAddress, port}, false, backlog, options, nullptr);
  }
  Connection* connect(const ConnectionOptions& options = {}, uint16_t from = 40000,
                      uint16_t to = 80) {
    return *client.connect(now_, {kClientAddress, from}, {kServerAddress, to}, options, nullptr);
  }
  // A connection from one to the other, both ends.
  std::pair<Connection*, Connection*> established(const ConnectionOptions& a = {},
                                                  const ConnectionOptions& b = {}) {
    listen(b);
    Connection* c = connect(a);
    for (int i = 0; i < 100 && !listener->waiting() && step(); ++i) {
    }
    run_for(4 * delay);
    return {c, listener->accept(nullptr)};
  }

  BytePool pool;
  Duration delay = 10ms;
  uint32_t mtu = 1500;
  std::function<Fate(const Passing&)> fate;
  std::function<void()> each_step;
  std::vector<Passing> log;  // what was sent, payload included
  bool keep_log = true;

 private:
  class Way final : public Output {
   public:
    Way(TwoHosts& hosts, bool to_server) : hosts_(hosts), to_server_(to_server) {}
    void transmit(const IpAddress&, const IpAddress&, Segment&& segment,
                  const std::string& activity) override {
      hosts_.send(to_server_, std::move(segment), activity, number_++);
    }
    uint32_t mtu(const IpAddress&, const IpAddress&) const override { return hosts_.mtu; }

   private:
    TwoHosts& hosts_;
    bool to_server_;
    uint64_t number_ = 0;
  };

  void send(bool to_server, Segment&& segment, const std::string& activity, uint64_t number) {
    Passing passing{number, to_server, now_, std::move(segment), activity};
    const Fate fate_now = fate ? fate(passing) : Fate{};
    if (keep_log) log.push_back(passing);
    if (fate_now.drop) return;
    if (fate_now.mark) passing.segment.ecn = *fate_now.mark;
    for (uint32_t i = 0; i < fate_now.copies; ++i) {
      under_way_.emplace(std::pair(now_ + delay + fate_now.extra, order_++), passing);
    }
  }

  Instant now_{1s};
  std::map<std::pair<Instant, uint64_t>, Passing> under_way_;
  uint64_t order_ = 0;
  Way to_server_;
  Way to_client_;

 public:
  Stack client;
  Stack server;
  Listener* listener = nullptr;
};

inline Result<size_t> send_text(Connection& connection, Instant now, std::string_view text,
                                bool more = false) {
  const ByteView part = text;
  return connection.send(now, {&part, 1}, more);
}

// Up to `size` octets; "" at EOF.
inline Result<std::string> receive_text(Connection& connection, Instant now, size_t size = 65536,
                                        bool peek = false) {
  std::string text(size, '\0');
  const std::span<char> part(text);
  const auto count = connection.receive(now, {&part, 1}, peek);
  if (!count) return std::unexpected(count.error());
  text.resize(*count);
  return text;
}

// One stack, and a peer that is the test.
class Script final : public Output {
 public:
  explicit Script(const StackOptions& options = {}) : stack(*this, pool, options) {}
  ~Script() override { sent.clear(); }

  void transmit(const IpAddress&, const IpAddress&, Segment&& segment,
                const std::string&) override {
    sent.push_back(std::move(segment));
  }
  uint32_t mtu(const IpAddress&, const IpAddress&) const override { return mtu_octets; }

  // A segment of the peer; numbers are those of the wire.
  struct Line {
    uint8_t flags = kTcpAck;
    uint32_t seq = 0;
    uint32_t ack = 0;
    std::string_view data = {};
    uint16_t window = 65535;
    std::optional<Timestamps> timestamps = {};
    uint16_t urgent = 0;
    Ecn ecn = Ecn::kNotEct;
  };
  Segment make(const Line& line) {
    Segment segment;
    segment.source_port = peer_port;
    segment.destination_port = local_port;
    segment.flags = line.flags;
    segment.seq = SeqNum(line.seq);
    segment.ack = SeqNum(line.ack);
    segment.window = line.window;
    segment.timestamps = line.timestamps;
    segment.urgent_pointer = line.urgent;
    segment.ecn = line.ecn;
    if (!line.data.empty()) segment.payload = pool.copy(line.data);
    return segment;
  }
  void inject(Segment segment) {
    stack.process(now, kClientAddress, kServerAddress, std::move(segment));
  }
  void inject(const Line& line) { inject(make(line)); }
  void pass(Duration duration) {
    const Instant end = now + duration;
    while (stack.next_deadline() <= end) {
      now = stack.next_deadline();
      stack.expire(now);
    }
    now = end;
  }
  // The next segment that was sent; flags 0xFF if there is none.
  Segment next() {
    if (sent.empty()) return Segment{.flags = 0xFF};
    Segment segment = std::move(sent.front());
    sent.pop_front();
    return segment;
  }

  void listen(size_t backlog = 5, const ConnectionOptions& options = plain()) {
    listener = *stack.listen({kServerAddress, local_port}, false, backlog, options, nullptr);
  }
  // Sequence numbers: the peer's SYN is at kPeerIss, ours at iss.
  void syn(uint32_t seq = kPeerIss) {
    Segment segment = make({.flags = kTcpSyn, .seq = seq});
    segment.mss = 1000;
    inject(segment);
  }
  // By a listener, accepted; nothing left in `sent`.
  Connection& passive(const ConnectionOptions& options = plain()) {
    listen(5, options);
    syn();
    iss = next().seq.value();
    inject({.seq = kPeerIss + 1, .ack = iss + 1});
    sent.clear();
    return *listener->accept(nullptr);
  }
  Connection& syn_sent(const ConnectionOptions& options = plain()) {
    Connection* connection = *stack.connect(now, {kServerAddress, local_port},
                                            {kClientAddress, peer_port}, options, nullptr);
    iss = next().seq.value();
    return *connection;
  }
  static ConnectionOptions plain() {
    ConnectionOptions options;
    options.timestamps = false;
    options.window_scaling = false;
    return options;
  }

  static constexpr uint32_t kPeerIss = 1000;
  uint16_t local_port = 80;
  uint16_t peer_port = 40000;
  uint32_t mtu_octets = 1500;
  uint32_t iss = 0;
  BytePool pool;
  Instant now{1s};
  std::deque<Segment> sent;
  Stack stack;
  Listener* listener = nullptr;
};

}  // namespace netrig::tcp
