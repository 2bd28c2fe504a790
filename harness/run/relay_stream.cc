// Relays of streams: one connection in, one out, octets both ways.

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "harness/run/relay_run.h"
#include "harness/sockets/wait_list.h"

namespace netrig {
namespace {

constexpr size_t kHeldOctetsMax = size_t{4} << 20;  // of one direction; beyond it nothing is read

// One end of a relayed connection.
struct End {
  Socket socket;
  Transport transport = Transport::kTcp;
  Endpoint peer;
};

// What goes one way, kept back and cut as the relay says: one fiber takes it, another gives it on.
struct Passage {
  Passage(const PacingOptions& options, uint64_t seed, const std::string& name)
      : pacer(options, seed, name) {}

  struct Held {
    Instant due;
    Bytes octets;
  };
  StreamPacer pacer;
  std::deque<Held> held;
  size_t held_octets = 0;
  bool ended = false;    // nothing more will come
  bool stopped = false;  // nothing more will be given on
  WaitList changed;
};

class StreamRelay final : public RelayRun {
 public:
  using RelayRun::RelayRun;

 private:
  struct Connection {
    End client, server;
    bool reset = false;
  };
  using Shared = std::shared_ptr<Connection>;

  void serve(Socket listener) override {
    for (uint64_t number = 1;; ++number) {
      stage_.loop.set_activity(relay_.name + " accept");
      const auto accepted = api_.accept(listener);
      if (!accepted) {
        return fail(relay_.address.at,
                    fmt::format("{} cannot accept: {} ({})", relay_.name, accepted.error().name(),
                                accepted.error().text()));
      }
      ++under_way_;
      stage_.loop.spawn(fmt::format("{}#{}", relay_.name, number), [this, accepted, number] {
        connect(*accepted, number);
        --under_way_;
      });
    }
  }

  void connect(const Accepted& accepted, uint64_t number) {
    const auto server = reach_target(number);
    if (!server) {
      (void)api_.close(accepted.socket);
      return;
    }
    auto connection = std::make_shared<Connection>();
    connection->client = {accepted.socket, relay_.address.transport, accepted.peer};
    connection->server = {*server, target_transport(), {}};
    if (auto peer = api_.getpeername(*server)) connection->server.peer = *peer;
    for (const End* end : {&connection->client, &connection->server}) {
      book(*end, end == &connection->client);
      // Pieces are to arrive as such: no waiting for acknowledgements (RFC 9293 3.7.4).
      if (end->transport == Transport::kTcp) {
        (void)api_.setsockopt(end->socket, IPPROTO_TCP, TCP_NODELAY, 1);
      }
    }
    const FiberId there = forward(connection, connection->client, connection->server, number);
    const FiberId back = forward(connection, connection->server, connection->client, number);
    stage_.loop.spawn(fmt::format("{}#{} end", relay_.name, number), [=, this] {
      stage_.loop.join(there);
      stage_.loop.join(back);
      for (const End* end : {&connection->client, &connection->server}) {
        if (connection->reset) (void)api_.set_linger(end->socket, {.on = true, .seconds = 0});
        (void)api_.close(end->socket);
      }
    });
  }

  void book(const End& end, bool accepted) {
    const auto local = api_.getsockname(end.socket);
    if (local && local->kind() == Endpoint::Kind::kIp) {
      stage_.blackboard.sits_at(*local, relay_.name);
    }
    stage_.journal.record(relay_.name,
                          ConnectionOpened{.connection = stage_.ledger.next_connection(),
                                           .accepted = accepted,
                                           .transport = end.transport,
                                           .peer = stage_.blackboard.who(end.peer),
                                           .local = local ? *local : Endpoint(),
                                           .remote = end.peer});
  }

  // Answers the fiber that ends when this direction has.
  FiberId forward(const Shared& connection, const End& from, const End& to, uint64_t number) {
    const bool there = &from == &connection->client;
    const std::string name = fmt::format("{}#{} {}", relay_.name, number, there ? "there" : "back");
    auto passage = std::make_shared<Passage>(pacing(), stage_.seed, "relay " + name);
    stage_.loop.spawn(name + " in", [=, this, &from] { take(*connection, from, *passage); });
    return stage_.loop.spawn(name,
                             [=, this, &from, &to] { give(*connection, from, to, *passage); });
  }

  void take(Connection& connection, const End& from, Passage& passage) {
    Bytes buffer(65536, '\0');
    while (true) {
      while (passage.held_octets > kHeldOctetsMax && !passage.stopped) {
        passage.changed.wait(stage_.loop, Instant::max());
      }
      const auto got = api_.recv(from.socket, buffer, 0);
      // What came before the shutdown can still be read after it; nobody would give it on.
      if (passage.stopped) break;
      if (!got) connection.reset = true;
      if (!got || *got == 0) break;
      tell(false, from.transport, from.peer, ByteView(buffer).substr(0, *got));
      const Instant now = stage_.loop.now();
      for (size_t done = 0; done < *got;) {
        const StreamPacer::Piece piece = passage.pacer.next(now, *got - done);
        passage.held.push_back({piece.due, buffer.substr(done, piece.octets)});
        passage.held_octets += piece.octets;
        done += piece.octets;
        ++under_way_;
      }
      passage.changed.wake_all(stage_.loop);
    }
    passage.ended = true;
    passage.changed.wake_all(stage_.loop);
  }

  void give(Connection& connection, const End& from, const End& to, Passage& passage) {
    while (true) {
      while (passage.held.empty() && !passage.ended) {
        passage.changed.wait(stage_.loop, Instant::max());
      }
      if (passage.held.empty()) break;
      const Passage::Held piece = std::move(passage.held.front());
      passage.held.pop_front();
      if (piece.due > stage_.loop.now()) stage_.loop.sleep_until(piece.due);
      const auto sent = api_.send(to.socket, piece.octets, 0);
      passage.held_octets -= piece.octets.size();
      --under_way_;
      passage.changed.wake_all(stage_.loop);
      if (!sent) {
        stop(connection, from, passage);
        return;
      }
      tell(true, to.transport, to.peer, piece.octets);
    }
    if (connection.reset) {
      stop(connection, to, passage);
    } else {
      (void)api_.shutdown(to.socket, SHUT_WR);
    }
  }

  // The other end is gone: so is this one. What waits in it is woken.
  void stop(Connection& connection, const End& end, Passage& passage) {
    connection.reset = true;
    under_way_ -= passage.held.size();
    passage.held.clear();
    passage.stopped = true;
    passage.changed.wake_all(stage_.loop);
    (void)api_.shutdown(end.socket, SHUT_RDWR);
  }
};

}  // namespace

std::unique_ptr<RelayRun> make_stream_relay(Stage& stage, const Relay& relay) {
  return std::make_unique<StreamRelay>(stage, relay);
}

}  // namespace netrig
