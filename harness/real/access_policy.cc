#include "harness/real/access_policy.h"

#include <algorithm>

#include "harness/net/mapped_address.h"
#include "harness/real/sockaddr.h"

namespace netrig {

AccessPolicy::AccessPolicy(const HostTable& hosts, bool allow_remote, const std::string& tmp)
    : hosts_(hosts), allow_remote_(allow_remote) {
  folders_.push_back(normalised_path(tmp));
  if (!hosts_.host_network()) {
    for (const char* folder : {"/tmp", "/run", "/var/tmp", "/dev/shm"}) folders_.push_back(folder);
  }
}

Result<void> AccessPolicy::may_bind(size_t host, const Endpoint& local) const {
  if (local.kind() == Endpoint::Kind::kUnix) return check_path(local, true);
  const IpAddress address = unmapped(local.address());
  if (hosts_.host_network()) {
    // 0.0.0.0 would take connections from other machines.
    return allow_remote_ || address.is_loopback() ? Result<void>() : fail_with(EPERM);
  }
  const auto owner = hosts_.by_address(address);
  if (owner && *owner != host) return fail_with(EADDRNOTAVAIL);
  return {};
}

Result<void> AccessPolicy::may_reach(const Endpoint& peer) const {
  if (peer.kind() == Endpoint::Kind::kUnix) return check_path(peer, false);
  if (!hosts_.host_network() || allow_remote_) return {};
  return unmapped(peer.address()).is_loopback() ? Result<void>() : fail_with(EPERM);
}

Result<void> AccessPolicy::check_path(const Endpoint& endpoint, bool making) const {
  const std::string& path = endpoint.path();
  if (path.empty() || endpoint.is_abstract()) return {};
  if (path[0] != '/') return fail_with(EINVAL);
  if (hosts_.host_network() && !making) return {};
  const std::string normal = normalised_path(path);
  const bool inside = std::any_of(folders_.begin(), folders_.end(), [&](const std::string& folder) {
    return normal.starts_with(folder + "/");
  });
  return inside ? Result<void>() : fail_with(EACCES);
}

}  // namespace netrig
