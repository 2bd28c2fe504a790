/* The client: blocking calls, half a second of patience, five tries. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "counter.h"

enum { TRIES = 5 };

static int ask(int fd, int* id, enum counter_retry retry, const char* command, long* total) {
  ++*id;
  for (int try = 0; try < TRIES; ++try) {
    if (try > 0 && retry == COUNTER_RETRY_NEW_ID) ++*id; /* the defect */
    char request[64];
    int length = snprintf(request, sizeof request, "%d %s", *id, command);
    if (send(fd, request, (size_t)length, 0) < 0) return -1;
    char reply[64];
    ssize_t got;
    while ((got = recv(fd, reply, sizeof reply - 1, 0)) >= 0) {
      reply[got] = '\0';
      int answered = 0;
      if (sscanf(reply, "%d %ld", &answered, total) == 2 && answered == *id) return 0;
    }
  }
  return -1;
}

int counter_add(const char* host, const char* port, long amount, enum counter_retry retry,
                long* total) {
  struct addrinfo hints;
  memset(&hints, 0, sizeof hints);
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  struct addrinfo* address;
  if (getaddrinfo(host, port, &hints, &address) != 0) return -1;
  int fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
  struct timeval patience = {0, 500000};
  char add[64];
  snprintf(add, sizeof add, "ADD %ld", amount);
  int id = 0;
  int failed = fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
               connect(fd, address->ai_addr, address->ai_addrlen) < 0 ||
               ask(fd, &id, retry, "HELLO", total) < 0 || ask(fd, &id, retry, add, total) < 0 ||
               ask(fd, &id, retry, "READ", total) < 0;
  freeaddrinfo(address);
  if (fd >= 0) close(fd);
  return failed ? -1 : 0;
}
