// UnixSocket: what a capture is told of streams and records. Datagrams are told by the network.

#include "fakes/host/unix_socket.h"
#include "fakes/network/fake_capture.h"

namespace netrig {

void UnixSocket::capture_connected(const std::string& service, UnixSocket& other) {
  connection_ = other.connection_ = host_.unix_names().next_connection();
  service_ = other.service_ = service;
  is_client_ = true;
  FakeCapture* capture = host_.network().capture();
  if (capture == nullptr || type() != SOCK_STREAM) return;
  capture->unix_connected(connection_, service_, host_.loop().activity());
}

void UnixSocket::capture_data(ByteView data) {
  FakeCapture* capture = host_.network().capture();
  if (capture == nullptr) return;
  const std::string& activity = host_.loop().activity();
  if (type() == SOCK_STREAM) {
    capture->unix_data(connection_, is_client_, data, activity);
  } else {
    capture->unix_datagram(service_, connection_, is_client_, data, activity);
  }
}

void UnixSocket::capture_ending(Ending ending) {
  FakeCapture* capture = host_.network().capture();
  if (capture == nullptr || type() != SOCK_STREAM || connection_ == 0) return;
  const std::string& activity = host_.loop().activity();
  const std::string words = activity.empty() ? "end of the run" : activity;
  if (ending == Ending::kReset) {
    capture->unix_reset(connection_, is_client_, words);
  } else {
    capture->unix_finished(connection_, is_client_, words);
  }
}

}  // namespace netrig
