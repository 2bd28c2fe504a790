#pragma once
// Turns the tree of one link into its LinkConfig, for build_network.cc: every key but rules and
// events. Files that it names (tables of delays, traces) are read now, once each.

#include <map>
#include <memory>
#include <string>

#include "harness/link/link_config.h"
#include "harness/scenario/build.h"

namespace netrig {

inline constexpr size_t kQuantileFileMax = size_t{1} << 20;
inline constexpr size_t kTraceFileMax = size_t{16} << 20;

// What the links of one scenario share.
class LinkFiles {
 public:
  explicit LinkFiles(Reading& reading) : reading_(reading) {}

  // `node` holds the file's name. A mistake is told, and null answered.
  std::shared_ptr<const QuantileTable> table(const Node& node);
  std::shared_ptr<const DeliveryTrace> trace(const Node& node);
  // "normal", "pareto", "paretonormal".
  std::shared_ptr<const QuantileTable> known_table(const std::string& name);

 private:
  Reading& reading_;
  std::map<std::string, std::shared_ptr<const QuantileTable>> tables_;
  std::map<std::string, std::shared_ptr<const QuantileTable>> known_;
  std::map<std::string, std::shared_ptr<const DeliveryTrace>> traces_;
};

LinkConfig build_link(Reading& reading, const Node& node, LinkFiles& files);

}  // namespace netrig
