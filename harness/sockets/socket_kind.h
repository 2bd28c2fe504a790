#pragma once
// Which sockets a world makes: the pairs of domain and type that it knows, and the protocols that
// go with them. The same for all worlds; making them is the worlds' business.

#include "harness/base/errno.h"
#include "harness/net/endpoint.h"

namespace netrig {

// `domain`: AF_INET, AF_INET6, AF_UNIX; `type`: SOCK_STREAM and so on, no flags. EAFNOSUPPORT or
// ESOCKTNOSUPPORT for all others: raw and packet sockets could speak past the world's links.
Result<Transport> transport_of(int domain, int type);
// True for 0 and for the transport's own protocol (socket(2)).
bool protocol_allowed(Transport transport, int protocol);

}  // namespace netrig
