/* Plain POSIX; it has never heard of netrig. */
#include "ask.h"

#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int ask(const char* host, const char* port, int tries) {
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
  struct addrinfo* found = NULL;
  if (getaddrinfo(host, port, &hints, &found) != 0) return -1;
  int fd = socket(found->ai_family, found->ai_socktype, 0);
  int asked = -1;
  for (int i = 1; i <= tries && fd >= 0; i++) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char answer[16];
    sendto(fd, "?", 1, 0, found->ai_addr, found->ai_addrlen);
    if (poll(&ready, 1, 1000) == 1 && recv(fd, answer, sizeof answer, 0) > 0) {
      asked = i;
      break;
    }
  }
  if (fd >= 0) close(fd);
  freeaddrinfo(found);
  return asked;
}
