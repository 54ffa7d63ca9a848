// What fcntl(2) and ioctl(2) tell of a socket and set on it, for JavaScript.
#include "addon/binding/arguments.h"
#include "addon/sys/descriptor.h"
#include "addon/sys/owner.h"

namespace eagain::binding {
namespace {

// setOwner(token, group, id)
int set_owner(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const int group = arguments.integer(1), id = arguments.integer(2);
  if (!arguments.valid()) return 0;
  return id < 0 ? -EINVAL : sys::set_owner(slot->fd, group != 0, id);
}

// The id, and at kFacts whether it is a group's.
int get_owner(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  int32_t* shared = arguments.environment().shared();
  if (slot == nullptr || shared == nullptr) return -EBADF;
  bool group = false;
  const int id = sys::get_owner(slot->fd, &group);
  shared[kFacts] = group ? 1 : 0;
  return id;
}

int set_signal(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const int signal = arguments.integer(1);
  return arguments.valid() ? sys::set_signal(slot->fd, signal) : 0;
}

int set_async(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const int on = arguments.integer(1);
  return arguments.valid() ? sys::set_async(slot->fd, on != 0) : 0;
}

template <int (*question)(int)>
int ask(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  return slot == nullptr ? 0 : question(slot->fd);
}

// closeOnExec(fd): of a descriptor that is not ours, one that this process was started with.
int close_on_exec(Arguments& arguments) {
  const int fd = arguments.integer(0);
  return arguments.valid() ? sys::set_close_on_exec(fd) : 0;
}

const Export kCalls[] = {
    {"setOwner", entry<set_owner>},       {"getOwner", entry<get_owner>},
    {"setSignal", entry<set_signal>},     {"getSignal", entry<ask<sys::get_signal>>},
    {"setAsync", entry<set_async>},       {"getAsync", entry<ask<sys::get_async>>},
    {"atMark", entry<ask<sys::at_mark>>}, {"closeOnExec", entry<close_on_exec>},
};

}  // namespace

Exports descriptor_calls() { return {kCalls, sizeof(kCalls) / sizeof(*kCalls)}; }

}  // namespace eagain::binding
