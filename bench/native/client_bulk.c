/* Bulk over one connection; an operation is 64 KiB. In bulk-to the client sends as fast as it can,
 * in bulk-from it takes as fast as it can. Our own buffer is fixed, so that what it holds is the
 * same at both ends of the window. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include "client.h"

static int fd;
static bool receives;
static uint64_t bytes;
static char block[BULK_BYTES];

static void bulk_start(struct load* l) { (void)l; }

static void bulk_step(struct load* l) {
  /* MSG_TRUNC lets TCP throw the bytes away uncopied: a reader that copies on the other core takes
   * the sender's cache lines and its socket lock, and the sender's figure was the reader's (25 to
   * 45 µs, now 7). */
  int flags = l->options->domain == AF_INET ? MSG_TRUNC : 0;
  for (int i = 0; i < 16; i++) {
    ssize_t n = receives ? recv(fd, block, sizeof block, flags) : send(fd, block, sizeof block, 0);
    if (n > 0) {
      bytes += (uint64_t)n;
      continue;
    }
    if (n == 0) {
      errno = ECONNRESET;
      fail("the server closed");
    }
    if (errno != EAGAIN) fail("bulk");
    if (!l->options->spin)
      poll(&(struct pollfd){.fd = fd, .events = receives ? POLLIN : POLLOUT}, 1, 1);
    break;
  }
  l->ops = bytes / BULK_BYTES;
}

void bulk_open(struct load* l, const struct options* o) {
  receives = !strcmp(o->mode, "bulk-from");
  fd = connect_to_server(o, O_NONBLOCK);
  int half_megabyte = 1 << 19;
  setsockopt(fd, SOL_SOCKET, receives ? SO_RCVBUF : SO_SNDBUF, &half_megabyte,
             sizeof half_megabyte);
  l->start = bulk_start;
  l->step = bulk_step;
}
