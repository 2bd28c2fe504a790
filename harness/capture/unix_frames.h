#pragma once
// Unix socket traffic as packets. Unix sockets have no link type, so what a world sees at the API
// is written as synthetic IPv4 packets on an interface named "unix:/path" or "unix:@name": stream
// sockets as TCP (SYN, SYN-ACK, ACK, data, FIN or RST, right sequence numbers), datagram and
// seqpacket sockets as UDP. Follow Stream and tcpdump filters work on that form. Addresses are
// 127.0.0.1; the service has port 1 + its interface's number among the Unix interfaces, peers count
// up from 32768. No socket is known here.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/base/bytes.h"
#include "harness/capture/captured_packet.h"

namespace netrig {

class UnixFrames {
 public:
  // A service is named as Endpoint::to_string does: "unix:/run/app.sock". `add_interface` is called
  // once for each such name and answers the interface's index; `emit` is given each packet,
  // complete with time, interface and comment.
  UnixFrames(std::function<uint32_t(const std::string& name)> add_interface,
             std::function<void(CapturedPacket&&)> emit);
  ~UnixFrames();
  UnixFrames(const UnixFrames&) = delete;
  UnixFrames& operator=(const UnixFrames&) = delete;

  // Stream sockets. A connection is named by a number that the caller chooses and never uses again.
  // What comes for a connection that ended, or from a side that finished, is ignored.
  void connected(uint64_t connection, const std::string& service, int64_t time_ns,
                 const std::string& comment);
  void stream_data(uint64_t connection, bool from_client, ByteView data, int64_t time_ns,
                   const std::string& comment);  // cut into packets of at most 16 KiB
  void finished(uint64_t connection, bool from_client, int64_t time_ns, const std::string& comment);
  void reset(uint64_t connection, bool from_client, int64_t time_ns, const std::string& comment);

  // Datagram and seqpacket sockets: `peer` tells senders to one service apart. Datagrams beyond
  // what UDP over IPv4 can carry are cut, and original_length tells the real size as far as 32 bits
  // can.
  void datagram(const std::string& service, uint64_t peer, bool to_service, ByteView data,
                int64_t time_ns, const std::string& comment);

 private:
  struct Connection;
  struct Service;
  Service& service_of(const std::string& name);

  std::function<uint32_t(const std::string&)> add_interface_;
  std::function<void(CapturedPacket&&)> emit_;
  std::map<std::string, Service> services_;
  std::map<uint64_t, Connection> connections_;
};

}  // namespace netrig
