// Slots, a poller and a host made into one: descriptors go in, batches of {token, readiness} come
// out. Opens nothing before the first arm(). Knows no JavaScript: what a batch means is the
// receiver's.
#pragma once

#include <cstdint>
#include <memory>

#include "addon/loop/host.h"
#include "addon/loop/poller.h"
#include "addon/loop/slot_table.h"

namespace eagain::loop {

class Reactor {
 public:
  static constexpr int kMaxEvents = 256;
  // Up to this many events are delivered one by one, so that each handler has sent before the next
  // one reads: reading a whole batch first makes a peer and this side sleep in turns.
  static constexpr int kFewEvents = 8;

  struct Receiver {
    void* context;
    // Pairs begin … end of the batch are to be handled now; false: JavaScript can run no more.
    bool (*deliver)(void* context, int begin, int end);
  };

  Reactor(const Receiver& receiver, const HostServices& services);

  // Where the batch is written: kMaxEvents pairs {token, readiness}.
  void lend(int32_t* batch) { batch_ = batch; }

  SlotTable& slots() { return slots_; }
  bool is_shut() const { return shut_; }

  // Reports on `interest` from now on: what is reported, or -errno.
  int arm(int token, uint32_t interest);
  int disarm(int token);
  int close(int token);    // unregistered, then closed, in one step
  int release(int token);  // unregistered and given up: the descriptor, or -errno
  void reference(bool alive);
  void turn();  // one wake-up, by the host

  // Every descriptor closed at once, `closed` when the host is out of use. Nothing opens after
  // that.
  void shut(void (*closed)(void* context), void* context);

 private:
  int open();
  int look(int begin);
  bool deliver(int begin, int end);
  void unregister(Slot& slot);
  void out_of_use();

  Receiver receiver_;
  HostServices services_;
  SlotTable slots_;
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<Host> host_;
  int32_t* batch_ = nullptr;
  void (*closed_)(void* context) = nullptr;
  void* closed_context_ = nullptr;
  int spared_ = 0;  // turns to come without a second look
  bool referenced_ = false;
  bool shut_ = false;
  Event events_[kMaxEvents];
};

}  // namespace eagain::loop
