#pragma once
// The hosts of a real world by number, name and address. Numbers here count from 0.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/net/endpoint.h"
#include "harness/net/host_address.h"

namespace netrig {

class HostTable {
 public:
  HostTable(std::vector<std::string> names, bool host_network)
      : names_(std::move(names)), host_network_(host_network) {
    for (size_t host = 0; host < names_.size(); ++host) {
      by_name_.emplace(names_[host], host);
      by_address_.emplace(address(host, false), host);
      if (!host_network_) by_address_.emplace(address(host, true), host);  // else ::1 is everyone's
    }
  }

  size_t size() const { return names_.size(); }
  bool host_network() const { return host_network_; }
  const std::string& name(size_t host) const { return names_[host]; }
  IpAddress address(size_t host, bool v6) const {
    return host_address(host + 1, v6, host_network_);
  }
  std::optional<size_t> by_name(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? std::nullopt : std::optional(found->second);
  }
  // `address` not IPv4-mapped.
  std::optional<size_t> by_address(const IpAddress& address) const {
    const auto found = by_address_.find(address);
    return found == by_address_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::vector<std::string> names_;
  bool host_network_;
  std::map<std::string, size_t, std::less<>> by_name_;
  std::map<IpAddress, size_t> by_address_;
};

}  // namespace netrig
