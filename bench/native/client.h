/* The load client's shared nouns: its options, one load, one measured window. No load's own logic
 * lives here. */
#ifndef EAGAIN_BENCH_CLIENT_H
#define EAGAIN_BENCH_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

enum { BULK_BYTES = 65536, SINK_BURST = 1024 };

struct options {
  const char* mode;
  int domain, type; /* AF_INET or AF_UNIX; SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM */
  int port;         /* where the server listens, AF_INET */
  const char* path; /* where the server listens, AF_UNIX */
  int connections;  /* connections, sockets for UDP, or slots of a churn */
  int outstanding;  /* messages in flight per UDP socket */
  int idle;         /* connections that are opened and stay silent */
  int size;         /* bytes per message */
  int segments;     /* messages per GSO train of a flood */
  int warm_ms, run_ms;
  pid_t server; /* whose CPU time is measured; 0: nobody's */
  bool spin;    /* never sleep: the server's sends never pay for waking the client */
};

/* Log-linear histogram of nanoseconds: 16 steps per power of two, about 6 % of error. */
enum { HISTOGRAM_STEPS = 16, HISTOGRAM_BUCKETS = 64 * HISTOGRAM_STEPS };
struct histogram {
  uint64_t count[HISTOGRAM_BUCKETS], total;
};

struct load {
  const struct options* options;
  bool sending; /* false while the window is being closed: answer nothing, start nothing */
  uint64_t ops; /* completed so far */
  uint64_t lost, dropped;
  int pending; /* operations under way, for loads that can be drained */
  struct histogram latency;
  void (*start)(struct load*);     /* put the first operations under way */
  void (*step)(struct load*);      /* wait (at most 1 ms) and answer once */
  uint64_t (*count)(struct load*); /* ask the server for its count; NULL: ops is the truth */
};

void echo_open(struct load*, const struct options*);
void churn_open(struct load*, const struct options*);
void bulk_open(struct load*, const struct options*);
void flood_open(struct load*, const struct options*);
void datagram_echo_open(struct load*, const struct options*);
void sink_open(struct load*, const struct options*);

void run_window(struct load*, const char* name);
void histogram_add(struct histogram*, uint64_t ns);
uint64_t now_ns(void);
void settle(pid_t server);

/* Sockets. All of them end the program with the call's name where they fail. */
socklen_t server_address(const struct options*, struct sockaddr_storage*);
int connect_to_server(const struct options*, int flags);
void open_idle(const struct options*);
void raise_descriptor_limit(void);
void fail(const char* what);

#endif
