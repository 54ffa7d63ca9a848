// Who: tokens. A token is a place in a table and the generation of its tenant, so that a token
// whose socket is closed finds nothing, whatever the kernel has done with the descriptor's number
// since.
//
//   bit  30 ........ 20 19 ................ 0
//        generation     place
#pragma once

#include <cstdint>
#include <vector>

namespace eagain::loop {

struct Slot {
  int fd = -1;
  uint32_t generation = 1;
  uint32_t armed = 0;  // the interest that the poller reports on
  bool open = false;
  bool registered = false;        // the poller knows the descriptor
  bool restore_blocking = false;  // detach() gives the descriptor back as it was adopted
  int domain = 0;
  int type = 0;
  int next_free = -1;
};

class SlotTable {
 public:
  int insert(int fd);     // the new tenant's token, or -ENFILE
  Slot* find(int token);  // nullptr for every token but an open one's
  void release(int token);
  int token_of(const Slot& slot) const;

  template <typename Visit>
  void for_each_open(Visit visit) {
    for (Slot& slot : slots_) {
      if (slot.open) visit(slot);
    }
  }

 private:
  std::vector<Slot> slots_;
  int first_free_ = -1;
  int last_free_ = -1;
  uint32_t free_ = 0;
};

}  // namespace eagain::loop
