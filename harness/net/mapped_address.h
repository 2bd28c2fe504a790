#pragma once
// IPv4-mapped IPv6 addresses (RFC 4291 2.5.5.2, ::ffff:a.b.c.d), which an IPv6 socket shows where
// IPv4 is spoken. Plain values; whether a socket may speak IPv4 is not decided here.

#include "harness/net/endpoint.h"

namespace netrig {

bool is_mapped(const IpAddress& address);
// A mapped address as IPv4; all else as it is.
IpAddress unmapped(const IpAddress& address);
Endpoint unmapped(const Endpoint& endpoint);
// The other way: an IPv4 address as an IPv6 socket shows it.
IpAddress mapped(const IpAddress& v4);

}  // namespace netrig
