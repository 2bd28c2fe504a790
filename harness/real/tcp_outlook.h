#pragma once
// Whether the kernel may still do something with a socket by itself: octets or control segments
// under way, timers that will fire. The real loop's question before it calls a run stuck.

namespace netrig {

// For TCP sockets, by tcp(7)'s TCP_INFO; false for anything else.
bool tcp_may_move(int fd);

}  // namespace netrig
