/* Connections, level-triggered: one accept4, recv or send per event that says so, and no call
 * beyond. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "server.h"

static char block[BLOCK_BYTES];
static int poller, listener;

static int open_listener(const struct job* job) {
  int type = strcmp(job->transport, "seqpacket") ? SOCK_STREAM : SOCK_SEQPACKET, one = 1, bound;
  int fd = socket(job->path ? AF_UNIX : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  if (job->path) {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    strncpy(un.sun_path, job->path, sizeof un.sun_path - 1);
    bound = bind(fd, (struct sockaddr*)&un, sizeof un);
  } else {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bound = bind(fd, (struct sockaddr*)&in, sizeof in);
  }
  if (bound < 0) fail("bind");
  if (listen(fd, 4096) < 0) fail("listen");
  return fd;
}

static void accept_one(bool closes, bool pours) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  if (closes) {
    close(fd);
    return;
  }
  struct epoll_event event = {.events = pours ? EPOLLOUT : EPOLLIN, .data.fd = fd};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

static bool send_all(int fd, const char* data, ssize_t left) {
  for (ssize_t n; left > 0; data += n, left -= n)
    if ((n = send(fd, data, (size_t)left, MSG_NOSIGNAL)) < 0) {
      if (errno != EAGAIN) return false;
      poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1000);
      n = 0;
    }
  return true;
}

/* Each of these says whether the connection lives on. */
static bool echo(int fd) {
  ssize_t n = recv(fd, block, sizeof block, 0);
  if (n < 0) return errno == EAGAIN;
  return n > 0 && send_all(fd, block, n);
}

static bool drain(int fd) {
  ssize_t n = recv(fd, block, sizeof block, 0);
  return n > 0 || (n < 0 && errno == EAGAIN);
}

static bool pour(int fd) {
  return send(fd, block, sizeof block, MSG_NOSIGNAL) > 0 || errno == EAGAIN;
}

void serve_stream(const struct job* job) {
  bool closes = !strcmp(job->name, "close"), pours = !strcmp(job->name, "pour");
  bool (*handle)(int) = pours ? pour : !strcmp(job->name, "drain") ? drain : echo;
  poller = epoll_create1(EPOLL_CLOEXEC);
  listener = open_listener(job);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
  if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) < 0) fail("epoll_ctl");
  ready(job, listener);
  for (;;) {
    int n = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd == listener)
        accept_one(closes, pours);
      else if (!handle(fd))
        close(fd);
    }
  }
}
