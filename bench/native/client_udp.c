/* Loads over UDP: flood (the server receives), datagram-echo, sink (the server sends).
 * A datagram of three bytes is a request, and bears the port to answer to (a receiver into a bare
 * buffer sees no address): in a flood it asks for the server's count, in a sink for a burst of
 * SINK_BURST. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include "client.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static int main_fd, poller;
static char train[65536];
static uint8_t request_bytes[3] = {'r'};

static void open_requester(const struct options* o) {
  struct sockaddr_in self;
  socklen_t length = sizeof self;
  main_fd = connect_to_server(o, 0);
  if (getsockname(main_fd, (struct sockaddr*)&self, &length) < 0) fail("getsockname");
  memcpy(request_bytes + 1, &self.sin_port, 2);
}

/* flood */

static void flood_start(struct load* l) { (void)l; }

static int segments;

static void flood_step(struct load* l) {
  if (!l->sending) return;
  for (int i = 0; i < 16; i++) {
    if (send(main_fd, train, (size_t)(l->options->size * segments), 0) >= 0)
      l->ops += (uint64_t)segments;
    else if (errno == EINVAL && segments > 64)
      segments = 64; /* UDP_MAX_SEGMENTS of older kernels */
    else if (errno != EAGAIN && errno != ENOBUFS)
      fail("send");
  }
}

static uint64_t flood_count(struct load* l) {
  (void)l;
  char text[32];
  for (int attempt = 0; attempt < 10; attempt++) {
    if (send(main_fd, request_bytes, sizeof request_bytes, 0) < 0) fail("send");
    ssize_t n = recv(main_fd, text, sizeof text - 1, 0);
    if (n > 0) {
      text[n] = 0;
      return strtoull(text, NULL, 10);
    }
  }
  fail("the server tells no count");
  return 0;
}

void flood_open(struct load* l, const struct options* o) {
  open_requester(o);
  struct timeval patience = {0, 300000};
  setsockopt(main_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  segments = o->segments;
  if (segments > 1 && setsockopt(main_fd, IPPROTO_UDP, UDP_SEGMENT, &o->size, sizeof o->size) < 0)
    fail("UDP_SEGMENT");
  l->start = flood_start;
  l->step = flood_step;
  l->count = flood_count;
}

/* datagram-echo: each datagram bears the time it was sent */

static int* sockets;
static uint64_t last_progress;

static void ask(struct load* l, int fd, uint64_t now) {
  memcpy(train, &now, sizeof now);
  if (send(fd, train, (size_t)l->options->size, 0) < 0) fail("send");
  l->pending++;
}

static void datagram_echo_start(struct load* l) {
  last_progress = now_ns();
  int missing = l->options->connections * l->options->outstanding - l->pending;
  for (int i = 0; i < missing; i++) ask(l, sockets[i % l->options->connections], now_ns());
}

static void restart_lost(struct load* l, uint64_t now) {
  if (now - last_progress < 100 * 1000000u) return;
  l->lost += (uint64_t)l->pending;
  l->pending = 0;
  if (l->sending) datagram_echo_start(l);
}

static void datagram_echo_step(struct load* l) {
  struct epoll_event events[64];
  int n = epoll_wait(poller, events, 64, l->options->spin ? 0 : 1);
  uint64_t now = now_ns();
  if (n <= 0) {
    restart_lost(l, now);
    return;
  }
  last_progress = now;
  for (int i = 0; i < n; i++) {
    uint64_t sent;
    for (int j = 0; j < l->options->outstanding; j++) {
      if (recv(events[i].data.fd, train, sizeof train, MSG_DONTWAIT) < (ssize_t)sizeof sent) break;
      memcpy(&sent, train, sizeof sent);
      now = now_ns();
      histogram_add(&l->latency, now - sent);
      l->ops++;
      l->pending--;
      if (l->sending) ask(l, events[i].data.fd, now);
    }
  }
}

void datagram_echo_open(struct load* l, const struct options* o) {
  poller = epoll_create1(EPOLL_CLOEXEC);
  sockets = calloc((size_t)o->connections, sizeof *sockets);
  if (poller < 0 || !sockets) fail("epoll_create1");
  for (int i = 0; i < o->connections; i++) {
    sockets[i] = connect_to_server(o, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = sockets[i]};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, sockets[i], &event) < 0) fail("epoll_ctl");
  }
  l->start = datagram_echo_start;
  l->step = datagram_echo_step;
}

/* sink: keeps two bursts asked for and reads none of what comes. Its queue is full, so every
 * datagram makes its whole way through the sender's stack and is dropped, and counted, at the door:
 * the sender's cost is measured and no receiver's. Without UDP_GRO, as most peers are: a GSO train
 * is cut into datagrams on the way, at the sender's cost. */

static uint64_t requested;

static uint64_t queue_drops(void) {
  uint32_t info[SK_MEMINFO_VARS] = {0};
  socklen_t length = sizeof info;
  if (getsockopt(main_fd, SOL_SOCKET, SO_MEMINFO, info, &length) < 0) fail("SO_MEMINFO");
  return info[SK_MEMINFO_DROPS];
}

static void request(struct load* l) {
  for (; l->sending && requested < l->ops + 2 * SINK_BURST; requested += SINK_BURST)
    if (send(main_fd, request_bytes, sizeof request_bytes, 0) < 0) fail("send");
  l->pending = requested > l->ops;
}

static void sink_start(struct load* l) {
  last_progress = now_ns();
  request(l);
}

static void sink_step(struct load* l) {
  if (l->options->spin)
    for (uint64_t end = now_ns() + 10000; now_ns() < end;)
      continue; /* looking costs the sender its cache line */
  else
    poll(NULL, 0, 1);
  uint64_t now = now_ns(), drops = queue_drops();
  if (drops != l->ops) {
    l->ops = drops;
    last_progress = now;
  }
  if (now - last_progress > 20 * 1000000u) { /* the few that the queue held, or a lost request */
    l->lost += requested - l->ops;
    requested = l->ops;
    last_progress = now;
  }
  request(l);
}

void sink_open(struct load* l, const struct options* o) {
  open_requester(o);
  int least = 0; /* the kernel gives its least */
  setsockopt(main_fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
  l->start = sink_start;
  l->step = sink_step;
}
