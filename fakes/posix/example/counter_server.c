/* The server: one socket, poll(), and the last reply kept for a request that comes twice. */
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "counter.h"

enum { IDLE_MS = 3000 };

static int serve(int fd) {
  long total = 0;
  int last_id = 0;
  char reply[64] = "";
  for (;;) {
    struct pollfd waiting = {fd, POLLIN, 0};
    int ready = poll(&waiting, 1, IDLE_MS);
    if (ready < 0) return -1;
    if (ready == 0) return 0;
    char request[64];
    struct sockaddr_storage from;
    socklen_t from_length = sizeof from;
    ssize_t got =
        recvfrom(fd, request, sizeof request - 1, 0, (struct sockaddr*)&from, &from_length);
    if (got < 0) continue;
    request[got] = '\0';
    int id = 0;
    long amount = 0;
    char command[16];
    if (sscanf(request, "%d %15s %ld", &id, command, &amount) < 2) continue;
    if (id != last_id) {
      if (strcmp(command, "ADD") == 0) total += amount;
      last_id = id;
      snprintf(reply, sizeof reply, "%d %ld", id, total);
    }
    if (sendto(fd, reply, strlen(reply), 0, (struct sockaddr*)&from, from_length) < 0) return -1;
  }
}

int counter_serve(const char* port) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return -1;
  struct sockaddr_in here;
  memset(&here, 0, sizeof here);
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_ANY);
  here.sin_port = htons((uint16_t)atoi(port));
  int result = bind(fd, (struct sockaddr*)&here, sizeof here) < 0 ? -1 : serve(fd);
  close(fd);
  return result;
}
