#pragma once
// Programs find each other by the names of their hosts: a hosts(5) and a resolv.conf(5) of the
// world's own, seen in the sandbox only.

#include <expected>
#include <string>
#include <vector>

#include "harness/real/host_table.h"

namespace netrig {

// Puts them over /etc/hosts and /etc/resolv.conf, where there are such. `name_servers`: hosts that
// answer DNS; none: nothing but the hosts' own names is resolved, and nobody is asked. `folder`: a
// writable one to make them in. The error is a sentence. Needs CAP_SYS_ADMIN in the mount
// namespace.
std::expected<void, std::string> name_hosts(const HostTable& hosts,
                                            const std::vector<std::string>& name_servers,
                                            const std::string& folder);

}  // namespace netrig
