#pragma once
// TCP_INFO as Linux lays it out (`struct tcp_info`). A file of its own, for <linux/tcp.h> and
// <netinet/tcp.h> clash.

#include "fakes/tcp/connection.h"
#include "harness/base/bytes.h"

namespace netrig {

// At most `size` octets. Fields that the simulated stack does not know are 0.
Bytes tcp_info_octets(const tcp::ConnectionInfo& info, size_t size);

}  // namespace netrig
