// How readiness is learnt from the kernel: five verbs. A poller knows descriptors, interest and a
// key that it hands back; it knows no tokens, no libuv and no JavaScript.
#pragma once

#include <cstdint>
#include <memory>

namespace eagain::loop {

struct Event {
  uint64_t key;
  uint32_t readiness;
};

class Poller {
 public:
  virtual ~Poller() = default;

  virtual int open() = 0;  // 0, or -errno
  // Both return the interest from now on reported, at least what was asked, or -errno. What is
  // ready already is reported too: nothing falls between a call's EAGAIN and the wait for it.
  // change() with interest 0 silences the descriptor until the next change().
  virtual int add(int fd, uint64_t key, uint32_t interest) = 0;
  virtual int change(int fd, uint64_t key, uint32_t interest) = 0;
  virtual int remove(int fd) = 0;
  // At most `capacity` events, waiting at most `timeout` ms (-1: for ever): their number, or
  // -errno. A poller that reports a descriptor once per change() marks its events kDisarmed.
  virtual int wait(Event* events, int capacity, int timeout) = 0;

  virtual int descriptor()
      const = 0;  // readable while wait() would find something; -1: there is none
};

std::unique_ptr<Poller> make_epoll_poller();

}  // namespace eagain::loop
