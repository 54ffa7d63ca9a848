/* One measured window: from rest to rest. The load is stopped and the server has gone to sleep
 * before its CPU time is read, because /proc/PID/task/TID/schedstat leaves out what a running task
 * has used since the last scheduler tick (4 ms at 250 Hz, 1 % of a short window), and because then
 * every counted operation is whole. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "client.h"

struct usage {
  uint64_t cpu_ns, switches;
  uint64_t waited_ns; /* ready to run, but the core was somebody else's */
  bool running;       /* some thread runs, or would if it had a core */
};

uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool runs(pid_t pid, const char* task) {
  char path[64 + 256], text[128] = "";
  snprintf(path, sizeof path, "/proc/%d/task/%s/stat", (int)pid, task);
  FILE* file = fopen(path, "r");
  if (!file) return false;
  fread(text, 1, sizeof text - 1, file);
  fclose(file);
  const char* state = strrchr(text, ')'); /* tid (name) state: a name may hold a parenthesis */
  return state && state[2] == 'R';
}

static struct usage usage_of(pid_t pid) {
  struct usage sum = {0};
  if (!pid) return sum;
  char path[64 + 256];
  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  DIR* tasks = opendir(path);
  if (!tasks) fail("the server is gone");
  for (struct dirent* task; (task = readdir(tasks));) {
    if (task->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, task->d_name);
    FILE* file = fopen(path, "r");
    unsigned long long run, wait, slices;
    if (file && fscanf(file, "%llu %llu %llu", &run, &wait, &slices) == 3) {
      sum.cpu_ns += run;
      sum.waited_ns += wait;
      sum.switches += slices;
    }
    if (file) fclose(file);
    if (runs(pid, task->d_name)) sum.running = true;
  }
  closedir(tasks);
  return sum;
}

static void sleep_ms(int ms) {
  struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
  nanosleep(&t, NULL);
}

/* Waits until the server has used no CPU time for 2 ms and wants none (at most 400 ms: a runtime
 * may tick on its own). */
void settle(pid_t server) {
  struct usage last = usage_of(server);
  for (int i = 0; i < 200; i++) {
    sleep_ms(2);
    struct usage next = usage_of(server);
    if (next.cpu_ns == last.cpu_ns && !next.running) return;
    last = next;
  }
}

static size_t bucket_of(uint64_t ns) {
  if (ns < HISTOGRAM_STEPS) return (size_t)ns;
  int power = 63 - __builtin_clzll(ns);
  return (size_t)(power - 3) * HISTOGRAM_STEPS + ((ns >> (power - 4)) & (HISTOGRAM_STEPS - 1));
}

static uint64_t value_of(size_t bucket) {
  if (bucket < HISTOGRAM_STEPS) return bucket;
  size_t power = bucket / HISTOGRAM_STEPS + 3;
  return (uint64_t)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS) << (power - 4);
}

void histogram_add(struct histogram* h, uint64_t ns) {
  h->count[bucket_of(ns)]++;
  h->total++;
}

static double percentile_us(const struct histogram* h, double share) {
  uint64_t wanted = (uint64_t)((double)h->total * share), seen = 0;
  for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
    if ((seen += h->count[i]) > wanted) return (double)value_of(i) / 1000;
  return 0;
}

static void drive(struct load* l, int ms) {
  uint64_t end = now_ns() + (uint64_t)ms * 1000000u;
  l->sending = true;
  l->start(l);
  while (now_ns() < end) l->step(l);
}

static void rest(struct load* l) {
  uint64_t end = now_ns() + 300 * 1000000u;
  l->sending = false;
  while (l->pending > 0 && now_ns() < end) l->step(l);
  settle(l->options->server);
}

void run_window(struct load* l, const char* name) {
  pid_t server = l->options->server;
  drive(l, l->options->warm_ms);
  rest(l);
  memset(&l->latency, 0, sizeof l->latency);
  uint64_t lost = l->lost, dropped = l->dropped, counted = l->count ? l->count(l) : l->ops,
           sent = l->ops;
  if (l->count) settle(server);
  struct usage before = usage_of(server), self = usage_of(getpid());
  uint64_t start = now_ns();
  drive(l, l->options->run_ms);
  uint64_t end = now_ns();
  uint64_t in_time = l->ops - sent;
  rest(l);
  struct usage after = usage_of(server), self_after = usage_of(getpid());
  uint64_t ops = l->count ? l->count(l) - counted : l->ops - counted;
  if (!ops) {
    fprintf(stderr, "client: not one operation in %d ms\n", l->options->run_ms);
    _exit(1);
  }
  double seconds = (double)(end - start) / 1e9;
  double rate = (double)(l->count ? ops : in_time) / seconds;
  printf(
      "\"%s\":{\"ops\":%llu,\"seconds\":%.4f,\"rate\":%.0f,\"cpuNs\":%llu,\"cpuPerOp\":%.2f,"
      "\"switchesPerOp\":%.5f,\"busy\":%.3f,\"waited\":%.4f,",
      name, (unsigned long long)ops, seconds, rate,
      (unsigned long long)(after.cpu_ns - before.cpu_ns),
      (double)(after.cpu_ns - before.cpu_ns) / (double)ops,
      (double)(after.switches - before.switches) / (double)ops,
      (double)(after.cpu_ns - before.cpu_ns) / (double)(end - start),
      (double)(after.waited_ns - before.waited_ns + self_after.waited_ns - self.waited_ns) /
          (double)(end - start));
  printf(
      "\"offered\":%llu,\"lost\":%llu,\"dropped\":%llu,\"p50us\":%.1f,\"p99us\":%.1f,\"p999us\":%."
      "1f}",
      (unsigned long long)(l->ops - sent), (unsigned long long)(l->lost - lost),
      (unsigned long long)(l->dropped - dropped), percentile_us(&l->latency, 0.5),
      percentile_us(&l->latency, 0.99), percentile_us(&l->latency, 0.999));
}
