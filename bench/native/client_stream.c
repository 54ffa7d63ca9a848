/* Loads over connections: echo (they stay) and churn (connect + echo + close, or connect + the
 * server's close). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "client.h"

struct connection {
  int fd, got;
  bool waiting;
  uint64_t since;
};

static struct connection* connections;
static int poller, size;
static bool linger_on_close; /* accept: the server closes, nothing is sent */
static char message[65536];

static int wait_events(struct load* l, struct epoll_event* events, int max) {
  int n = epoll_wait(poller, events, max, l->options->spin ? 0 : 1);
  if (n < 0 && errno != EINTR) fail("epoll_wait");
  return n < 0 ? 0 : n;
}

static void watch(struct connection* c) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) < 0) fail("epoll_ctl");
}

static void ask(struct load* l, struct connection* c, uint64_t now) {
  c->since = now;
  c->got = 0;
  c->waiting = true;
  l->pending++;
  if (send(c->fd, message, (size_t)size, 0) != size) fail("send");
}

/* True when the whole answer is there. */
static bool answered(struct connection* c) {
  ssize_t n = recv(c->fd, message, sizeof message, 0);
  if (n < 0 && errno == EAGAIN) return false;
  if (n <= 0) fail("the server hung up");
  c->got += (int)n;
  return c->got >= size;
}

static uint64_t finish(struct load* l, struct connection* c) {
  uint64_t now = now_ns();
  histogram_add(&l->latency, now - c->since);
  l->ops++;
  l->pending--;
  c->waiting = false;
  return now;
}

static void echo_start(struct load* l) {
  for (int i = 0; i < l->options->connections; i++)
    if (!connections[i].waiting) ask(l, &connections[i], now_ns());
}

static void echo_step(struct load* l) {
  struct epoll_event events[64];
  int n = wait_events(l, events, 64);
  for (int i = 0; i < n; i++) {
    struct connection* c = events[i].data.ptr;
    if (!answered(c)) continue;
    uint64_t now = finish(l, c);
    if (l->sending) ask(l, c, now);
  }
}

static void open_poller(const struct options* o) {
  size = o->size;
  poller = epoll_create1(EPOLL_CLOEXEC);
  connections = calloc((size_t)o->connections, sizeof *connections);
  if (poller < 0 || !connections) fail("epoll_create1");
}

void echo_open(struct load* l, const struct options* o) {
  open_poller(o);
  for (int i = 0; i < o->connections; i++) {
    connections[i].fd = connect_to_server(o, O_NONBLOCK);
    watch(&connections[i]);
    l->sending = false; /* one round trip each: a backlog of connections must not overflow */
    ask(l, &connections[i], now_ns());
    while (l->pending) echo_step(l);
  }
  l->start = echo_start;
  l->step = echo_step;
}

static void churn_next(struct load* l, struct connection* c) {
  uint64_t now = now_ns();
  c->fd = connect_to_server(l->options, O_NONBLOCK);
  watch(c);
  if (!linger_on_close) {
    ask(l, c, now);
    return;
  }
  c->since = now;
  c->waiting = true;
  l->pending++;
}

static void churn_start(struct load* l) {
  for (int i = 0; i < l->options->connections; i++)
    if (!connections[i].waiting) churn_next(l, &connections[i]);
}

static bool churned(struct connection* c) {
  if (!linger_on_close) return answered(c);
  ssize_t n = recv(c->fd, message, sizeof message, 0);
  if (n < 0 && errno == EAGAIN) return false;
  if (n != 0) fail("waiting for the server's close");
  return true;
}

static void churn_step(struct load* l) {
  struct epoll_event events[64];
  int n = wait_events(l, events, 64);
  for (int i = 0; i < n; i++) {
    struct connection* c = events[i].data.ptr;
    if (!churned(c)) continue;
    close(c->fd);
    finish(l, c);
    if (l->sending) churn_next(l, c);
  }
}

void churn_open(struct load* l, const struct options* o) {
  open_poller(o);
  linger_on_close = !strcmp(o->mode, "accept");
  l->start = churn_start;
  l->step = churn_step;
}
