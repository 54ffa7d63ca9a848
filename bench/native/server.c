/* The bench's limit: a plain single-threaded epoll server in C, what the kernel gives to a program
 * that does nothing else. server <job> <transport> <path|-> <form> transport  tcp | unix |
 * seqpacket: jobs echo, close (on accept), drain (read all), pour (write for ever) udp: jobs count
 * (receive), echo, burst (send on request); forms plain, batch, gro, gso */
#define _GNU_SOURCE
#include "server.h"
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

void fail(const char* what) {
  fprintf(stderr, "server: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* The line every server of the bench prints once it can be reached. */
void ready(const struct job* job, int fd) {
  struct sockaddr_in in;
  socklen_t length = sizeof in;
  if (job->path)
    printf("ready %s\n", job->path);
  else if (getsockname(fd, (struct sockaddr*)&in, &length) < 0)
    fail("getsockname");
  else
    printf("ready %d\n", ntohs(in.sin_port));
  fflush(stdout);
}

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "server <job> <transport> <path|-> <form>\n");
    return 2;
  }
  struct job job = {argv[1], argv[2], argc > 3 && strcmp(argv[3], "-") ? argv[3] : NULL,
                    argc > 4 ? argv[4] : "plain"};
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  signal(SIGPIPE, SIG_IGN);
  if (strcmp(job.transport, "udp"))
    serve_stream(&job);
  else
    serve_datagrams(&job);
  return 0;
}
