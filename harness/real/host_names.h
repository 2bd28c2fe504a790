#pragma once
// Programs find each other by the names of their hosts: a hosts(5) file of the world's own, seen in
// the sandbox only.

#include <expected>
#include <string>

#include "harness/real/host_table.h"

namespace netrig {

// Puts it over /etc/hosts, where there is one. `folder`: a writable one to make it in. The error is
// a sentence. Needs CAP_SYS_ADMIN in the mount namespace.
std::expected<void, std::string> name_hosts(const HostTable& hosts, const std::string& folder);

}  // namespace netrig
