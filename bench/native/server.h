/* The plain C server's shared nouns. */
#ifndef EAGAIN_BENCH_SERVER_H
#define EAGAIN_BENCH_SERVER_H

#include <stddef.h>

enum { BLOCK_BYTES = 65536 };

struct job {
  const char *name, *transport, *path, *form;
};

void serve_stream(const struct job*);
void serve_datagrams(const struct job*);
void ready(const struct job*, int fd);
void fail(const char* what);

#endif
