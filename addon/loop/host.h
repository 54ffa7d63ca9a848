// How a ready poller gets the JavaScript thread's attention. A host knows the poller and the
// moment; what happens in that moment (`turn`) is its caller's, and so is what JavaScript is.
#pragma once

#include <memory>

#include "addon/loop/poller.h"

namespace eagain::loop {

// What the environment lends to hosts. A host takes what it needs: one that stands in libuv's loop
// the loop, one that waits in a thread of its own the way to call back into JavaScript's.
struct HostServices {
  void* context;
  void* uv_loop;                // nullptr where the runtime has no libuv
  void (*turn)(void* context);  // on JavaScript's thread only: drain the poller, deliver
};

class Host {
 public:
  virtual ~Host() = default;

  virtual int open(const HostServices& services,
                   Poller& poller) = 0;    // 0, or -errno; starts unreferenced
  virtual void reference(bool alive) = 0;  // whether the process stays up for this
  // Ends all turns at once; `closed` comes when nothing of the host is in use any more.
  virtual void close(void (*closed)(void* context), void* context) = 0;
};

std::unique_ptr<Host> make_uv_host();

}  // namespace eagain::loop
