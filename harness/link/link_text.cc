#include "harness/link/link_text.h"

#include <fmt/format.h>

#include "harness/base/text.h"

namespace netrig {
namespace {

std::string correlated(std::string text, Probability correlation) {
  if (correlation.ppm == 0) return text;
  return fmt::format("{}, correlation {}", text, format_probability(correlation));
}

std::string delay_text(const LinkConfig& config) {
  if (!config.distribution) return "delay " + format_range(config.delay);
  const DelayDistribution& delay = *config.distribution;
  return correlated(fmt::format("delay {}, jitter {} ({})", format_duration(delay.mean),
                                format_duration(delay.jitter),
                                delay.normal  ? "normal"
                                : delay.table ? "by a table"
                                              : "uniform"),
                    delay.correlation);
}

std::string loss_text(const LinkConfig& config) {
  if (const auto& channel = config.gemodel) {
    return fmt::format("loss in bursts (gemodel {} {})", format_probability(channel->good_to_bad),
                       format_probability(channel->bad_to_good));
  }
  if (config.loss_states) return "loss by four states";
  if (config.loss.ppm == 0) return "";
  return correlated("loss " + format_probability(config.loss), config.loss_correlation);
}

std::string reorder_text(const LinkConfig& config) {
  std::string text =
      correlated("reorder " + format_probability(config.reorder), config.reorder_correlation);
  if (config.reorder_gap > 1) text += fmt::format(", gap {}", config.reorder_gap);
  return text + (config.reorder_early ? " (early)" : "");
}

std::string queue_text(const LinkConfig& config) {
  const std::string limit = config.queue_octets != 0 ? format_size(config.queue_octets)
                            : config.queue_time != Duration{0}
                                ? format_duration(config.queue_time)
                                : plural(config.queue_packets, "packet");
  const std::string discipline = !config.codel       ? ""
                                 : config.codel->ecn ? " (codel, ecn)"
                                                     : " (codel)";
  return fmt::format("queue of {}{}", limit, discipline);
}

}  // namespace

std::vector<std::string> describe_faults(const LinkConfig& config) {
  std::vector<std::string> faults;
  const auto chance = [&](const char* name, Probability probability, Probability correlation) {
    if (probability.ppm == 0) return;
    faults.push_back(
        correlated(fmt::format("{} {}", name, format_probability(probability)), correlation));
  };
  if (config.distribution || config.delay.high > Duration{0}) faults.push_back(delay_text(config));
  if (std::string loss = loss_text(config); !loss.empty()) faults.push_back(std::move(loss));
  chance("duplicate", config.duplicate, config.duplicate_correlation);
  chance("corrupt", config.corrupt, config.corrupt_correlation);
  if (config.reorder.ppm > 0) faults.push_back(reorder_text(config));
  if (config.rate > 0) {
    faults.push_back(fmt::format("rate {}, {}", format_rate(config.rate), queue_text(config)));
  }
  if (config.trace) {
    faults.push_back(fmt::format("a trace of {}, {}", plural(config.trace->size(), "instant"),
                                 queue_text(config)));
  }
  if (config.mtu > 0) faults.push_back(fmt::format("mtu {}", config.mtu));
  if (!config.rules.empty()) faults.push_back(plural(config.rules.size(), "rule"));
  if (!config.changes.empty()) faults.push_back(plural(config.changes.size(), "change"));
  return faults;
}

}  // namespace netrig
