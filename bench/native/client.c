/* The bench's load client: reads its options, runs one load against one server, prints one JSON
 * line. client <mode> key=value...        modes: see the table below client pin <cpu> <command>...
 * runs a command on one core that dies with its parent */
#define _GNU_SOURCE
#include "client.h"
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const struct {
  const char* mode;
  int type;
  void (*open)(struct load*, const struct options*);
} MODES[] = {
    {"echo", SOCK_STREAM, echo_open},      /* n connections, one message of 64 B each in flight */
    {"churn", SOCK_STREAM, churn_open},    /* n slots of connect + echo + close */
    {"accept", SOCK_STREAM, churn_open},   /* n slots of connect + wait for the server's close */
    {"bulk-to", SOCK_STREAM, bulk_open},   /* the server receives */
    {"bulk-from", SOCK_STREAM, bulk_open}, /* the server sends */
    {"flood", SOCK_DGRAM, flood_open},     /* GSO trains, faster than the server can receive */
    {"datagram-echo", SOCK_DGRAM, datagram_echo_open},
    {"sink", SOCK_DGRAM, sink_open}, /* the server sends bursts on request */
    {"hold", SOCK_STREAM, NULL},     /* open connections until stdin ends */
};

static void set_option(struct options* o, const char* key, const char* value) {
  struct {
    const char* key;
    int* slot;
  } numbers[] = {
      {"port", &o->port},    {"n", &o->connections}, {"outstanding", &o->outstanding},
      {"idle", &o->idle},    {"size", &o->size},     {"segments", &o->segments},
      {"warm", &o->warm_ms}, {"run", &o->run_ms},    {"pid", &o->server},
  };
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (!strcmp(key, numbers[i].key)) {
      *numbers[i].slot = atoi(value);
      return;
    }
  if (!strcmp(key, "spin")) {
    o->spin = atoi(value);
    return;
  }
  if (!strcmp(key, "path")) {
    o->path = value;
    return;
  }
  if (!strcmp(key, "family")) {
    o->domain = strcmp(value, "unix") && strcmp(value, "seqpacket") ? AF_INET : AF_UNIX;
    if (!strcmp(value, "seqpacket")) o->type = SOCK_SEQPACKET;
    return;
  }
  fprintf(stderr, "client: no option %s\n", key);
  exit(2);
}

static int pin(int argc, char** argv) {
  if (argc < 4) return 2;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(atoi(argv[2]), &one);
  if (atoi(argv[2]) >= 0 && sched_setaffinity(0, sizeof one, &one) < 0) fail("sched_setaffinity");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  execvp(argv[3], argv + 3);
  fail("execvp");
  return 1;
}

static void hold(const struct options* o) {
  open_idle(o);
  printf("{\"held\":%d}\n", o->idle);
  fflush(stdout);
  while (getchar() != EOF) continue;
}

int main(int argc, char** argv) {
  if (argc > 1 && !strcmp(argv[1], "pin")) return pin(argc, argv);
  struct options o = {.mode = argc > 1 ? argv[1] : "",
                      .domain = AF_INET,
                      .connections = 1,
                      .outstanding = 1,
                      .size = 64,
                      .segments = 128,
                      .warm_ms = 100,
                      .run_ms = 500};
  size_t mode = 0, modes = sizeof MODES / sizeof *MODES;
  while (mode < modes && strcmp(MODES[mode].mode, o.mode)) mode++;
  if (mode == modes) {
    fprintf(stderr, "client: no mode '%s'\n", o.mode);
    return 2;
  }
  o.type = MODES[mode].type;
  for (int i = 2; i < argc; i++) {
    char* equals = strchr(argv[i], '=');
    if (!equals) {
      fprintf(stderr, "client: want key=value, not %s\n", argv[i]);
      return 2;
    }
    *equals = 0;
    set_option(&o, argv[i], equals + 1);
  }
  signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  if (!MODES[mode].open) {
    hold(&o);
    return 0;
  }

  alarm((unsigned)((o.warm_ms + o.run_ms) * (o.idle ? 2 : 1) / 1000 +
                   30)); /* the bound of every load, whatever the server does */
  static struct load load;
  load.options = &o;
  MODES[mode].open(&load, &o);
  printf("{");
  run_window(&load, "window");
  if (o.idle) { /* the same load again, now with silent neighbours */
    open_idle(&o);
    printf(",");
    run_window(&load, "idle");
  }
  printf("}\n");
  close_range(3, ~0u, 0); /* the server's clean-up belongs to no later window */
  settle(o.server);
  return 0;
}
