/* How the load client reaches the server: addresses, connections, silent neighbours. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "client.h"

void fail(const char* what) {
  fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
  _exit(1); /* and half a line of JSON is never printed */
}

void raise_descriptor_limit(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

socklen_t server_address(const struct options* o, struct sockaddr_storage* out) {
  memset(out, 0, sizeof *out);
  if (o->domain == AF_INET) {
    struct sockaddr_in* in = (struct sockaddr_in*)out;
    *in = (struct sockaddr_in){.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)o->port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return sizeof *in;
  }
  struct sockaddr_un* un = (struct sockaddr_un*)out;
  un->sun_family = AF_UNIX;
  if (!o->path || strlen(o->path) >= sizeof un->sun_path) {
    errno = ENAMETOOLONG;
    fail("path");
  }
  strcpy(un->sun_path, o->path);
  return sizeof *un;
}

/* A closed connection keeps its port for a minute (TIME_WAIT), so that 28,000 churned ones would
 * end the bench: every connection takes the next of 240 loopback addresses, and the kernel the
 * port, at connect. */
static void spread_source(int fd) {
  static uint32_t turn;
  struct sockaddr_in from = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(0x7f010001u + turn++ % 240)};
  int one = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (bind(fd, (struct sockaddr*)&from, sizeof from) < 0) fail("bind");
}

/* Connects while it may block (at once on loopback, after the accept queue has room on AF_UNIX),
 * then takes the flags. */
int connect_to_server(const struct options* o, int flags) {
  struct sockaddr_storage to;
  socklen_t length = server_address(o, &to);
  int fd = socket(o->domain, o->type | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  if (o->domain == AF_INET && o->type == SOCK_STREAM) spread_source(fd);
  if (connect(fd, (struct sockaddr*)&to, length) < 0) fail("connect");
  if (flags & O_NONBLOCK) fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

/* Each one makes a round trip first, so that it has been accepted, read from and waited on. */
void open_idle(const struct options* o) {
  char message[64] = {0};
  for (int i = 0; i < o->idle; i++) {
    int fd = connect_to_server(o, 0);
    if (send(fd, message, sizeof message, 0) < 0) fail("send");
    size_t got = 0;
    while (got < sizeof message) {
      ssize_t n = recv(fd, message, sizeof message - got, 0);
      if (n <= 0) fail("an idle connection's round trip");
      got += (size_t)n;
    }
  }
}
