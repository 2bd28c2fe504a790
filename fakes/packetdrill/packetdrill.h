#pragma once
// The interface by which google/packetdrill calls a stack of another's (its --so_filename option):
// it loads a shared object and has packetdrill_interface_init fill this struct. Layout and order
// are packetdrill's; written down from its description, no header of it is used.

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

extern "C" {

struct PacketdrillInterface {
  void* userdata;
  void (*free)(void* userdata);
  int (*socket)(void* userdata, int domain, int type, int protocol);
  int (*bind)(void* userdata, int fd, const sockaddr* address, socklen_t length);
  int (*listen)(void* userdata, int fd, int backlog);
  int (*accept)(void* userdata, int fd, sockaddr* address, socklen_t* length);
  int (*connect)(void* userdata, int fd, const sockaddr* address, socklen_t length);
  ssize_t (*read)(void* userdata, int fd, void* buffer, size_t size);
  ssize_t (*readv)(void* userdata, int fd, const iovec* parts, int count);
  ssize_t (*recv)(void* userdata, int fd, void* buffer, size_t size, int flags);
  ssize_t (*recvfrom)(void* userdata, int fd, void* buffer, size_t size, int flags, sockaddr* from,
                      socklen_t* length);
  ssize_t (*recvmsg)(void* userdata, int fd, msghdr* message, int flags);
  ssize_t (*write)(void* userdata, int fd, const void* data, size_t size);
  ssize_t (*writev)(void* userdata, int fd, const iovec* parts, int count);
  ssize_t (*send)(void* userdata, int fd, const void* data, size_t size, int flags);
  ssize_t (*sendto)(void* userdata, int fd, const void* data, size_t size, int flags,
                    const sockaddr* to, socklen_t length);
  ssize_t (*sendmsg)(void* userdata, int fd, const msghdr* message, int flags);
  int (*fcntl)(void* userdata, int fd, int command, ...);
  int (*ioctl)(void* userdata, int fd, unsigned long request, ...);
  int (*close)(void* userdata, int fd);
  int (*shutdown)(void* userdata, int fd, int how);
  int (*getsockopt)(void* userdata, int fd, int level, int name, void* value, socklen_t* length);
  int (*setsockopt)(void* userdata, int fd, int level, int name, const void* value,
                    socklen_t length);
  int (*poll)(void* userdata, pollfd* entries, nfds_t count, int timeout);
  int (*netdev_send)(void* userdata, const void* buffer, size_t count);
  int (*netdev_receive)(void* userdata, void* buffer, size_t* count, long long* time_usecs);
  int (*usleep)(void* userdata, useconds_t usec);
  int (*gettimeofday)(void* userdata, timeval* time, struct timezone* zone);
  int (*epoll_create)(void* userdata, int size);
  int (*epoll_ctl)(void* userdata, int epoll, int operation, int fd, epoll_event* event);
  int (*epoll_wait)(void* userdata, int epoll, epoll_event* events, int count, int timeout);
  int (*pipe)(void* userdata, int ends[2]);
  ssize_t (*splice)(void* userdata, int in, loff_t* in_offset, int out, loff_t* out_offset,
                    size_t size, unsigned flags);
};

// `flags`: --so_flags, words with commas: "local_ip=192.168.0.1,local_ip6=fd3d::1,seed=1". What
// cannot be understood ends the program with a message: packetdrill has no way to hear of it.
void packetdrill_interface_init(const char* flags, PacketdrillInterface* interface);

}  // extern "C"
