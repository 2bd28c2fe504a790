// Relays of datagrams: a socket of its own for each sender, so that answers find their way back.

#include <fmt/format.h>
#include <map>
#include <memory>

#include "harness/run/relay_run.h"

namespace netrig {
namespace {

constexpr size_t kSendersMax = 10'000;
constexpr size_t kHeldMax = 100'000;  // datagrams under way in one relay

class DatagramRelay final : public RelayRun {
 public:
  using RelayRun::RelayRun;

 private:
  void serve(Socket listener) override {
    Bytes buffer(65536, '\0');
    while (true) {
      stage_.loop.set_activity(relay_.name + " recv");
      const auto got = api_.recvfrom(listener, buffer, 0);
      if (!got) {
        // ICMP's errors of answers that nobody took (udp(7)): not ours to keep.
        if (got.error() == Errno(ECONNREFUSED)) continue;
        return fail(relay_.address.at,
                    fmt::format("{} cannot receive: {}", relay_.name, got.error().name()));
      }
      const ByteView octets = ByteView(buffer).substr(0, got->size);
      tell(false, relay_.address.transport, got->from, octets);
      const auto socket = socket_for(listener, got->from);
      if (!socket) return;
      const Endpoint target = api_.getpeername(*socket).value_or(Endpoint());
      later(Bytes(octets), [this, socket = *socket, target](const Bytes& datagram) {
        (void)api_.send(socket, datagram, 0);
        tell(true, target_transport(), target, datagram);
      });
    }
  }

  std::optional<Socket> socket_for(Socket listener, const Endpoint& sender) {
    if (const auto known = sockets_.find(sender); known != sockets_.end()) return known->second;
    if (sockets_.size() == kSendersMax) {
      fail(relay_.at,
           fmt::format("{} serves {} senders, more are not possible", relay_.name, kSendersMax));
      return std::nullopt;
    }
    const auto made = reach_target(sockets_.size() + 1);
    if (!made) return std::nullopt;
    sockets_.emplace(sender, *made);
    if (const auto local = api_.getsockname(*made)) stage_.blackboard.sits_at(*local, relay_.name);
    stage_.loop.spawn(
        fmt::format("{}#{} back", relay_.name, sockets_.size()),
        [this, listener, socket = *made, sender] { answer(listener, socket, sender); });
    return made;
  }

  void answer(Socket listener, Socket socket, const Endpoint& sender) {
    Bytes buffer(65536, '\0');
    const Endpoint target = api_.getpeername(socket).value_or(Endpoint());
    while (true) {
      const auto got = api_.recv(socket, buffer, 0);
      // Nobody was there to take one: the next may find somebody.
      if (!got && got.error() == Errno(ECONNREFUSED)) continue;
      if (!got) return;
      const ByteView octets = ByteView(buffer).substr(0, *got);
      tell(false, target_transport(), target, octets);
      later(Bytes(octets), [this, listener, sender](const Bytes& datagram) {
        (void)api_.sendto(listener, datagram, 0, sender);
        tell(true, relay_.address.transport, sender, datagram);
      });
    }
  }

  // Gives a datagram on, now or after the relay's delay, in the order of coming. A relay that holds
  // too many loses them, as a router does.
  void later(Bytes datagram, std::function<void(const Bytes&)> give_on) {
    if (relay_.delay.high == Duration{0}) return give_on(datagram);
    if (under_way_ >= kHeldMax) return;
    const auto piece = pacer_.next(stage_.loop.now(), 1);
    ++under_way_;
    stage_.loop.spawn(relay_.name + " delay", [this, due = piece.due, octets = std::move(datagram),
                                               give = std::move(give_on)] {
      stage_.loop.sleep_until(due);
      give(octets);
      --under_way_;
    });
  }

  std::map<Endpoint, Socket> sockets_;  // by sender
  StreamPacer pacer_{{.chop = std::nullopt, .delay = relay_.delay, .rate = 0},
                     stage_.seed,
                     "relay " + relay_.name};
};

}  // namespace

std::unique_ptr<RelayRun> make_datagram_relay(Stage& stage, const Relay& relay) {
  return std::make_unique<DatagramRelay>(stage, relay);
}

}  // namespace netrig
