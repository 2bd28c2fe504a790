#pragma once
// For tests of simulated hosts: a client and a server on a network, fibers, and what an observer
// saw.

#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "fakes/host/fake_host.h"
#include "fakes/host/unix_sockets.h"
#include "fakes/network/fake_loop.h"
#include "fakes/network/network.h"

namespace netrig {

struct ObservedTraffic final : LinkObserver {
  void on_fate(const FateRecord& record) override { fates.push_back(record); }
  void on_arrival(const ArrivalRecord& record) override { arrivals.push_back(record); }
  std::vector<FateRecord> fates;
  std::vector<ArrivalRecord> arrivals;
};

class TestHosts {
 public:
  explicit TestHosts(std::map<std::string, LinkConfig> links = {}, FakeHostOptions options = {})
      : network(loop, pool,
                NetworkOptions{.hosts = {"client", "server"},
                               .links = std::move(links),
                               .seed = 7,
                               .observer = &observed}),
        names("/tmp"),
        client(network, names, 0, options),
        server(network, names, 1, options) {}
  ~TestHosts() { loop.destroy_fibers(); }

  Endpoint at(const std::string& host, uint16_t port, bool v6 = false) const {
    return Endpoint(network.address(host == "client" ? 0 : 1, v6), port);
  }
  void spawn(const std::string& name, std::function<void()> body) {
    loop.spawn(name, [this, name, body = std::move(body)] {
      loop.set_activity(name);
      body();
    });
  }
  void run() { EXPECT_EQ(loop.run(), Loop::Ended::kFinished); }
  // A body in a fiber of its own, to its end.
  void run(std::function<void()> body) {
    spawn("test", std::move(body));
    run();
  }
  void sleep(Duration time) { loop.sleep_until(loop.now() + time); }

  ObservedTraffic observed;
  FakeLoop loop;
  BytePool pool;
  Network network;
  UnixNames names;
  FakeHost client;
  FakeHost server;
};

// "ok" or the name of the error.
template <typename T>
std::string outcome(const Result<T>& result) {
  return result ? "ok" : result.error().name();
}
// One recv as text: the octets, or the name of the error.
inline std::string recv_text(SocketApi& api, Socket socket, size_t room = 4096, int flags = 0) {
  std::string buffer(room, '\0');
  const auto size = api.recv(socket, buffer, flags);
  return size ? buffer.substr(0, *size) : size.error().name();
}
inline short poll_once(SocketApi& api, Socket socket, short events) {
  PollEntry entry{socket, events, 0};
  EXPECT_TRUE(api.poll({&entry, 1}, Duration{0}).has_value());
  return entry.revents;
}

}  // namespace netrig
