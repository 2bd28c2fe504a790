#pragma once
// The simulated host that packet scripts grade: its sockets on one side, packets as octets on the
// other, in virtual time. Calls may come from two threads (a script's blocking call waits on the
// second one while the first sleeps): one lock over all, and whoever waits is woken whenever
// something has happened. It knows nothing of packetdrill's struct.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "fakes/host/fake_host.h"
#include "fakes/host/unix_sockets.h"
#include "fakes/network/fake_loop.h"
#include "fakes/network/network.h"
#include "harness/base/shared_bytes.h"

namespace netrig {

struct ScriptStackOptions {
  IpAddress local = IpAddress::v4(192, 168, 0, 1);
  IpAddress local6 = *IpAddress::parse("fd3d:fa7b:d17d::1");
  uint64_t seed = 1;
};

class ScriptStack final : private PacketReceiver {
 public:
  struct Emitted {
    Bytes octets;  // from the IP header on
    int64_t time_us = 0;
  };

  explicit ScriptStack(const ScriptStackOptions& options);
  ~ScriptStack() override;

  // ---- time, in microseconds since the start
  // Reading it takes one, since a script's runner spins the last 20 before an event.
  int64_t read_time();
  void sleep(int64_t microseconds);

  // ---- packets
  // False if it is no packet that the stack could get.
  bool inject(ByteView octets);
  // The next packet that leaves the stack; time goes on until there is one. Empty if none will
  // come: the simulation is idle.
  std::optional<Emitted> receive();

  // ---- sockets
  // Tries `call` until it answers something else than EAGAIN, as a blocking call does, if
  // `blocking`. While the first thread waits so, time passes; EDEADLK if nothing will happen.
  template <typename T>
  Result<T> call(bool blocking, const std::function<Result<T>(SocketApi&)>& call) {
    std::unique_lock lock(mutex_);
    while (true) {
      Result<T> answer = call(*host_);
      ++calls_;
      called_.notify_all();
      if (answer || answer.error() != Errno(EAGAIN) || !blocking) {
        done_trying();
        return answer;
      }
      if (std::this_thread::get_id() != owner_) {
        wait_for_others(lock);
      } else if (!pass_one_event(lock)) {
        return fail_with(EDEADLK);
      }
    }
  }
  // poll(2): waits in virtual time, or, on the second thread, until the first makes it pass.
  Result<int> poll(std::span<PollEntry> entries, Duration timeout);

 private:
  void deliver(FakePacket&& packet) override;
  void pass(std::unique_lock<std::mutex>& lock, Instant when, const std::function<bool()>& enough);
  bool pass_one_event(std::unique_lock<std::mutex>& lock);  // false: there is none
  void let_others_try(std::unique_lock<std::mutex>& lock);
  void wait_for_others(std::unique_lock<std::mutex>& lock);
  void done_trying();

  const std::thread::id owner_ = std::this_thread::get_id();
  std::mutex mutex_;
  std::condition_variable happened_;  // waiting threads may try again
  std::condition_variable called_;    // a call was made
  uint64_t calls_ = 0;
  std::condition_variable tried_;  // they have
  size_t waiting_ = 0;
  size_t still_to_try_ = 0;
  uint64_t turn_ = 0;
  bool trying_ = false;  // a thread that waited is on its way
  FakeLoop loop_;
  BytePool pool_;
  std::optional<Network> network_;
  UnixNames names_{"/tmp"};
  std::unique_ptr<FakeHost> host_;
  std::deque<Emitted> emitted_;
};

}  // namespace netrig
