#pragma once
// What a scripted socket may touch: only loopback unless told otherwise, and no Unix socket outside
// the world's own folders. Checked before the kernel is asked; a refusal is the errno that the call
// answers.

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/errno.h"
#include "harness/net/endpoint.h"
#include "harness/net/unix_path.h"
#include "harness/real/host_table.h"

namespace netrig {

class AccessPolicy {
 public:
  // `tmp`: absolute. With `allow_remote` any IP address may be used.
  AccessPolicy(const HostTable& hosts, bool allow_remote, const std::string& tmp);

  // bind of `host`. EPERM: not loopback; EADDRNOTAVAIL: another host's address; EINVAL: a relative
  // path; EACCES: a path outside the world's folders.
  Result<void> may_bind(size_t host, const Endpoint& local) const;
  // connect, sendto.
  Result<void> may_reach(const Endpoint& peer) const;

 private:
  Result<void> check_path(const Endpoint& endpoint, bool making) const;

  const HostTable& hosts_;
  bool allow_remote_;
  std::vector<std::string> folders_;
};

}  // namespace netrig
