#pragma once
// The kernel's calls behind the linker's --wrap, under the names that it gives them.

#include <cstdarg>
#include <ctime>
#include <netdb.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

extern "C" {
int __real_socket(int domain, int type, int protocol);
int __real_socketpair(int domain, int type, int protocol, int ends[2]);
int __real_bind(int fd, const sockaddr* address, socklen_t length);
int __real_listen(int fd, int backlog);
int __real_accept(int fd, sockaddr* address, socklen_t* length);
int __real_accept4(int fd, sockaddr* address, socklen_t* length, int flags);
int __real_connect(int fd, const sockaddr* address, socklen_t length);
int __real_shutdown(int fd, int how);
int __real_close(int fd);
int __real_dup(int fd);
int __real_fcntl(int fd, int command, void* argument);
int __real_fcntl64(int fd, int command, void* argument);
int __real_ioctl(int fd, unsigned long request, void* argument);
int __real_getsockname(int fd, sockaddr* address, socklen_t* length);
int __real_getpeername(int fd, sockaddr* address, socklen_t* length);
int __real_getsockopt(int fd, int level, int name, void* value, socklen_t* length);
int __real_setsockopt(int fd, int level, int name, const void* value, socklen_t length);
ssize_t __real_send(int fd, const void* data, size_t size, int flags);
ssize_t __real_sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to,
                      socklen_t length);
ssize_t __real_sendmsg(int fd, const msghdr* message, int flags);
ssize_t __real_recv(int fd, void* buffer, size_t size, int flags);
ssize_t __real_recvfrom(int fd, void* buffer, size_t size, int flags, sockaddr* from,
                        socklen_t* length);
ssize_t __real_recvmsg(int fd, msghdr* message, int flags);
ssize_t __real_read(int fd, void* buffer, size_t size);
ssize_t __real_write(int fd, const void* data, size_t size);
ssize_t __real_readv(int fd, const iovec* parts, int count);
ssize_t __real_writev(int fd, const iovec* parts, int count);
int __real_poll(pollfd* entries, nfds_t count, int timeout);
int __real_ppoll(pollfd* entries, nfds_t count, const timespec* timeout, const sigset_t* mask);
int __real_select(int count, fd_set* readable, fd_set* writable, fd_set* exceptional,
                  timeval* timeout);
int __real_pselect(int count, fd_set* readable, fd_set* writable, fd_set* exceptional,
                   const timespec* timeout, const sigset_t* mask);
int __real_epoll_create(int size);
int __real_epoll_create1(int flags);
int __real_epoll_ctl(int epoll, int operation, int fd, epoll_event* event);
int __real_epoll_wait(int epoll, epoll_event* events, int count, int timeout);
int __real_epoll_pwait(int epoll, epoll_event* events, int count, int timeout,
                       const sigset_t* mask);
int __real_getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                       addrinfo** result);
void __real_freeaddrinfo(addrinfo* list);
int __real_gethostname(char* name, size_t length);
int __real_clock_gettime(clockid_t clock, timespec* time);
int __real_gettimeofday(timeval* time, void* zone);
time_t __real_time(time_t* time);
int __real_nanosleep(const timespec* duration, timespec* remaining);
int __real_clock_nanosleep(clockid_t clock, int flags, const timespec* when, timespec* remaining);
int __real_usleep(useconds_t duration);
unsigned __real_sleep(unsigned seconds);
}
