#include "addon/binding/tokens.h"

#include "addon/sys/descriptor.h"

namespace eagain::binding {

int take_in(Arguments& arguments, int fd, int domain, int type, bool restore_blocking) {
  const int token = arguments.environment().take_in(fd);
  if (token < 0) return token;
  loop::Slot* slot = arguments.environment().reactor().slots().find(token);
  slot->restore_blocking = restore_blocking;
  slot->domain = domain;
  slot->type = type;
  return token;
}

int take_in_pair(Arguments& arguments, const int fds[2], int domain, int type) {
  const int first = take_in(arguments, fds[0], domain, type, true);
  if (first < 0) {
    sys::close(fds[1]);
    return first;
  }
  const int second = take_in(arguments, fds[1], domain, type, true);
  if (second < 0) {
    arguments.environment().reactor().close(first);
    return second;
  }
  int32_t* shared = arguments.environment().shared();
  shared[kFacts] = first;
  shared[kFacts + 1] = second;
  return 0;
}

}  // namespace eagain::binding
