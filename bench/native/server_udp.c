/* Datagrams: one socket behind epoll, read until it is empty. Forms: plain (one call per message),
 * batch (recvmmsg and sendmmsg), gro (UDP_GRO, count only), gso (UDP_SEGMENT, burst only),
 * batch-metadata (count only: packet info, TTL, TOS, stamp and drops of each datagram as well). A
 * datagram of REQUEST bytes is the client's request: for the count so far, or for a burst of BURST
 * datagrams. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include "server.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { VECTOR = 64, BURST = 1024, MESSAGE = 64, REQUEST = 3, SLOT = 2048, CONTROL = 256 };
enum { METADATA = -1 };

static int fd;
static uint64_t count;
static char block[BLOCK_BYTES];
static struct mmsghdr headers[VECTOR];
static struct iovec vectors[VECTOR];
static struct sockaddr_in peers[VECTOR];
static _Alignas(struct cmsghdr) char controls[VECTOR][CONTROL];
static size_t control_bytes;

static void tell_count(const struct sockaddr_in* to) {
  char text[32];
  int length = snprintf(text, sizeof text, "%llu", (unsigned long long)count);
  sendto(fd, text, (size_t)length, 0, (const struct sockaddr*)to, sizeof *to);
}

static void wait_writable(void) { poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1000); }

static void send_one(size_t length, const struct sockaddr_in* to) {
  while (sendto(fd, block, length, 0, (const struct sockaddr*)to, sizeof *to) < 0 &&
         errno == EAGAIN)
    wait_writable();
}

static void send_vector(unsigned n) {
  for (unsigned done = 0; done < n;) {
    int sent = sendmmsg(fd, headers + done, n - done, 0);
    if (sent > 0)
      done += (unsigned)sent;
    else if (errno == EAGAIN)
      wait_writable();
    else
      break;
  }
}

/* Each of these reads until the socket is empty. */

static void count_plain(void) {
  struct sockaddr_in from;
  socklen_t length = sizeof from;
  for (ssize_t n; (n = recvfrom(fd, block, sizeof block, 0, (struct sockaddr*)&from, &length)) >= 0;
       length = sizeof from)
    if (n == REQUEST)
      tell_count(&from);
    else
      count++;
}

static int receive_vector(void) {
  for (int i = 0; i < VECTOR; i++) {
    headers[i].msg_hdr.msg_namelen = sizeof *peers;
    headers[i].msg_hdr.msg_controllen = control_bytes;
    vectors[i].iov_len = SLOT;
  }
  return recvmmsg(fd, headers, VECTOR, 0, NULL);
}

/* What a program would keep of it. */
static volatile struct {
  struct in_pktinfo at;
  struct timespec when;
  uint32_t drops;
  int ttl, tos;
} last;

static void look_at(struct msghdr* message) {
  for (struct cmsghdr* c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    const void* data = CMSG_DATA(c);
    if (c->cmsg_level == SOL_SOCKET) switch (c->cmsg_type) {
        case SCM_TIMESTAMPNS:
          last.when = *(const struct timespec*)data;
          break;
        case SO_RXQ_OVFL:
          last.drops = *(const uint32_t*)data;
          break;
      }
    else if (c->cmsg_level == IPPROTO_IP)
      switch (c->cmsg_type) {
        case IP_PKTINFO:
          last.at = *(const struct in_pktinfo*)data;
          break;
        case IP_TTL:
          last.ttl = *(const int*)data;
          break;
        case IP_TOS:
          last.tos = *(const uint8_t*)data;
          break;
      }
  }
}

static void count_batch(void) {
  for (int n; (n = receive_vector()) > 0;) {
    for (int i = 0; i < n; i++) {
      if (control_bytes) look_at(&headers[i].msg_hdr);
      if (headers[i].msg_len == REQUEST)
        tell_count(&peers[i]);
      else
        count++;
    }
    if (n < VECTOR) break;
  }
}

static void count_gro(void) {
  struct sockaddr_in from;
  struct iovec vector = {block, sizeof block};
  char control[64];
  for (;;) {
    struct msghdr m = {.msg_name = &from,
                       .msg_namelen = sizeof from,
                       .msg_iov = &vector,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &m, 0);
    if (n < 0) return;
    if (n == REQUEST) {
      tell_count(&from);
      continue;
    }
    struct cmsghdr* c = CMSG_FIRSTHDR(&m);
    int segment = (int)n;
    if (c && c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
      memcpy(&segment, CMSG_DATA(c), sizeof segment);
    count += (uint64_t)((n + segment - 1) / segment);
  }
}

static void echo_plain(void) {
  struct sockaddr_in from;
  socklen_t length = sizeof from;
  for (ssize_t n; (n = recvfrom(fd, block, sizeof block, 0, (struct sockaddr*)&from, &length)) >= 0;
       length = sizeof from)
    send_one((size_t)n, &from);
}

static void echo_batch(void) {
  for (int n; (n = receive_vector()) > 0;) {
    for (int i = 0; i < n; i++) vectors[i].iov_len = headers[i].msg_len;
    send_vector((unsigned)n);
    if (n < VECTOR) break;
  }
}

static void burst_plain(const struct sockaddr_in* to) {
  for (int i = 0; i < BURST; i++) send_one(MESSAGE, to);
}

static void burst_batch(const struct sockaddr_in* to) {
  for (int i = 0; i < VECTOR; i++) {
    peers[i] = *to;
    headers[i].msg_hdr.msg_namelen = sizeof *to;
    vectors[i].iov_len = MESSAGE;
  }
  for (int i = 0; i < BURST; i += VECTOR) send_vector(VECTOR);
}

static void burst_gso(const struct sockaddr_in* to) {
  for (int i = 0; i < BURST; i += VECTOR) send_one(VECTOR * MESSAGE, to);
}

static void (*burst_send)(const struct sockaddr_in*);

static void burst(void) {
  struct sockaddr_in from;
  socklen_t length = sizeof from;
  for (; recvfrom(fd, block, sizeof block, 0, (struct sockaddr*)&from, &length) >= 0;
       length = sizeof from)
    burst_send(&from);
}

static const struct {
  const char *job, *form;
  void (*handle)(void);
  void (*send)(const struct sockaddr_in*);
  int option;
} FORMS[] = {
    {"count", "plain", count_plain, NULL, 0},
    {"count", "batch", count_batch, NULL, 0},
    {"count", "gro", count_gro, NULL, UDP_GRO},
    {"echo", "plain", echo_plain, NULL, 0},
    {"echo", "batch", echo_batch, NULL, 0},
    {"burst", "plain", burst, burst_plain, 0},
    {"burst", "batch", burst, burst_batch, 0},
    {"burst", "gso", burst, burst_gso, UDP_SEGMENT},
    {"count", "batch-metadata", count_batch, NULL, METADATA},
};

static void ask(int level, int option, int value) {
  if (setsockopt(fd, level, option, &value, sizeof value) < 0) fail("setsockopt");
}

static void ask_for_metadata(void) {
  ask(IPPROTO_IP, IP_PKTINFO, 1);
  ask(IPPROTO_IP, IP_RECVTTL, 1);
  ask(IPPROTO_IP, IP_RECVTOS, 1);
  ask(SOL_SOCKET, SO_TIMESTAMPNS, 1);
  ask(SOL_SOCKET, SO_RXQ_OVFL, 1);
  control_bytes = CONTROL;
}

static void open_socket(int option) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr*)&in, sizeof in) < 0) fail("bind");
  if (option == METADATA) ask_for_metadata();
  if (option > 0) ask(IPPROTO_UDP, option, option == UDP_SEGMENT ? MESSAGE : 1);
  for (int i = 0; i < VECTOR; i++) {
    vectors[i] = (struct iovec){malloc(SLOT), SLOT};
    headers[i].msg_hdr = (struct msghdr){
        .msg_name = &peers[i], .msg_iov = &vectors[i], .msg_iovlen = 1, .msg_control = controls[i]};
  }
}

void serve_datagrams(const struct job* job) {
  size_t i = 0, forms = sizeof FORMS / sizeof *FORMS;
  while (i < forms && (strcmp(FORMS[i].job, job->name) || strcmp(FORMS[i].form, job->form))) i++;
  if (i == forms) {
    errno = EINVAL;
    fail(job->form);
  }
  open_socket(FORMS[i].option);
  burst_send = FORMS[i].send;
  int poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
  ready(job, fd);
  for (;;) {
    epoll_wait(poller, &event, 1, -1);
    FORMS[i].handle();
  }
}
