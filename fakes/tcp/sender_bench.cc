// How long the sender takes for a segment: its share of the write (one copy), next(), and half an
// acknowledgement. The receiver is a perfect one, without link or loss.
#include <algorithm>
#include <benchmark/benchmark.h>
#include <string>

#include "fakes/tcp/sender.h"

namespace netrig::tcp {
namespace {

constexpr uint32_t kMss = 1448;
constexpr uint32_t kWindow = 1 << 20;

void acknowledge_in_pairs(Sender& sender, Instant now, SeqNum sent) {
  while (sender.snd_una() < sent) {
    Acknowledgement ack;
    const auto left = static_cast<uint32_t>(sent - sender.snd_una());
    ack.ack = sender.snd_una() + std::min(left, 2 * kMss);
    ack.window = kWindow;
    sender.acknowledge(now, ack);
  }
}

void a_segment_and_half_an_acknowledgement(benchmark::State& state) {
  BytePool pool;
  SenderConfig config;
  config.mss = kMss;
  config.buffer_octets = kWindow;
  config.handshake_rtt = 1ms;
  Instant now{1s};
  Sender sender(now, SeqNum(1), kWindow, SeqNum(0), config, pool);
  const std::string data(64 * kMss, 'x');
  const ByteView view = data;
  int64_t segments = 0;
  for (auto _ : state) {
    if (sender.unsent_octets() == 0) sender.append({&view, 1}, false);
    SeqNum sent = sender.snd_una();
    while (auto out = sender.next(now)) {
      sent = out->seq + static_cast<uint32_t>(out->payload.size());
      ++segments;
    }
    now += 1ms;
    acknowledge_in_pairs(sender, now, sent);
  }
  state.SetItemsProcessed(segments);
}
BENCHMARK(a_segment_and_half_an_acknowledgement);

}  // namespace
}  // namespace netrig::tcp
