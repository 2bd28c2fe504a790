// What a packet costs the link model: offered, and taken when it is due.
#include <benchmark/benchmark.h>
#include <vector>

#include "harness/link/link.h"

namespace netrig {
namespace {

void offer_and_take(benchmark::State& state, const LinkConfig& config) {
  Link link(7, "client -> server", config);
  std::vector<Departure> departures;
  OfferedPacket packet{.stream = flow_stream("client -> server", "udp|server:53|1"),
                       .payload_size = 1000};
  Instant now{};
  for (auto _ : state) {
    ++packet.ordinal;
    packet.handle = packet.ordinal;
    benchmark::DoNotOptimize(link.offer(now, packet));
    departures.clear();
    link.take_due(now, departures);
    benchmark::DoNotOptimize(link.next_due());
    now += 10us;
  }
  state.SetItemsProcessed(state.iterations());
}

LinkConfig with(void (*change)(LinkConfig&)) {
  LinkConfig config;
  change(config);
  return config;
}

BENCHMARK_CAPTURE(offer_and_take, transparent, LinkConfig());
BENCHMARK_CAPTURE(offer_and_take, delay, with([](LinkConfig& c) { c.delay = {10ms, 10ms}; }));
BENCHMARK_CAPTURE(offer_and_take, delay_and_loss, with([](LinkConfig& c) {
                    c.delay = {10ms, 10ms};
                    c.loss = {10'000};
                  }));
BENCHMARK_CAPTURE(offer_and_take, rate_and_queue, with([](LinkConfig& c) {
                    c.rate = 1'000'000'000;
                    c.queue_packets = 256;
                  }));
BENCHMARK_CAPTURE(offer_and_take, jitter, with([](LinkConfig& c) { c.delay = {5ms, 15ms}; }));
BENCHMARK_CAPTURE(offer_and_take, normal_delay, with([](LinkConfig& c) {
                    c.distribution = DelayDistribution{
                        .table = normal_table(), .mean = 10ms, .jitter = 2ms, .normal = true};
                  }));
BENCHMARK_CAPTURE(offer_and_take, correlated_delay, with([](LinkConfig& c) {
                    c.distribution = DelayDistribution{.table = normal_table(),
                                                       .mean = 10ms,
                                                       .jitter = 2ms,
                                                       .correlation = {250'000},
                                                       .normal = true};
                  }));
BENCHMARK_CAPTURE(offer_and_take, gilbert_elliott, with([](LinkConfig& c) {
                    c.gemodel = GilbertElliott{.good_to_bad = {10'000}, .bad_to_good = {250'000}};
                  }));
BENCHMARK_CAPTURE(offer_and_take, codel, with([](LinkConfig& c) {
                    c.rate = 700'000'000;
                    c.codel.emplace();
                  }));
BENCHMARK_CAPTURE(offer_and_take, reorder, with([](LinkConfig& c) {
                    c.delay = {10ms, 10ms};
                    c.reorder = {50'000};
                  }));

}  // namespace
}  // namespace netrig
