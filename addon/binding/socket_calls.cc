// <sys/socket.h> for JavaScript, but for the transfer of data: tokens in, tokens or -errno out.
#include "addon/sys/socket.h"

#include <sys/socket.h>

#include "addon/binding/arguments.h"
#include "addon/sys/descriptor.h"

namespace eagain::binding {
namespace {

loop::SlotTable& slots(Arguments& arguments) { return arguments.environment().reactor().slots(); }

int32_t& shared(Arguments& arguments, int index) { return arguments.environment().shared()[index]; }

bool started(Arguments& arguments) { return arguments.environment().shared() != nullptr; }

int take_in(Arguments& arguments, int fd, int domain, int type, bool restore_blocking) {
  const int token = arguments.environment().take_in(fd);
  if (token < 0) return token;
  loop::Slot* slot = slots(arguments).find(token);
  slot->restore_blocking = restore_blocking;
  slot->domain = domain;
  slot->type = type;
  return token;
}

int ask(int fd, int name) {
  int value = 0;
  socklen_t length = sizeof(value);
  const int result = sys::getsockopt(fd, SOL_SOCKET, name, &value, &length);
  return result < 0 ? result : value;
}

int open(Arguments& arguments) {
  const int domain = arguments.integer(0), type = arguments.integer(1);
  const int protocol = arguments.integer(2);
  if (!arguments.valid()) return 0;
  const int fd = sys::socket(domain, type, protocol);
  return fd < 0 ? fd : take_in(arguments, fd, domain, type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK), true);
}

int socketpair(Arguments& arguments) {
  const int domain = arguments.integer(0), type = arguments.integer(1);
  const int protocol = arguments.integer(2);
  if (!arguments.valid() || !started(arguments)) return -EINVAL;
  int fds[2];
  const int result = sys::socketpair(domain, type, protocol, fds);
  if (result < 0) return result;
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
  shared(arguments, kFacts) = first;
  shared(arguments, kFacts + 1) = second;
  return 0;
}

// Two slots over one number would let the second close hit a stranger: -EBUSY.
int adopt(Arguments& arguments) {
  const int fd = arguments.integer(0);
  if (!arguments.valid()) return 0;
  bool taken = false;
  slots(arguments).for_each_open([&](const loop::Slot& slot) { taken = taken || slot.fd == fd; });
  if (taken) return -EBUSY;
  const int checked = sys::is_socket(fd);
  if (checked < 0) return checked;
  const int domain = ask(fd, SO_DOMAIN), type = ask(fd, SO_TYPE);
  if (domain < 0 || type < 0) return domain < 0 ? domain : type;
  const int blocking = sys::get_blocking(fd);
  if (blocking < 0) return blocking;
  const int nonblocking = sys::set_blocking(fd, false);
  if (nonblocking < 0) return nonblocking;
  sys::set_close_on_exec(fd);
  return take_in(arguments, fd, domain, type, blocking != 0);
}

// O_NONBLOCK belongs to the open file that both share, so neither may clear it at detach(): a
// blocking accept(2) in the other would stop the event loop.
int duplicate(Arguments& arguments) {
  loop::Slot* slot = arguments.slot(0);
  if (slot == nullptr) return 0;
  const int fd = sys::duplicate(slot->fd);
  if (fd < 0) return fd;
  slot->restore_blocking = false;
  return take_in(arguments, fd, slot->domain, slot->type, false);
}

int fd(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  return slot == nullptr ? 0 : slot->fd;
}

int bind(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const socklen_t length = arguments.address_length(1);
  return arguments.valid() ? sys::bind(slot->fd, arguments.address(), length) : 0;
}

int connect(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const socklen_t length = arguments.address_length(1);
  return arguments.valid() ? sys::connect(slot->fd, arguments.address(), length) : 0;
}

int connect_outcome(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  return slot == nullptr ? 0 : sys::connect_outcome(slot->fd);
}

int listen(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const int backlog = arguments.integer(1);
  return arguments.valid() ? sys::listen(slot->fd, backlog) : 0;
}

int shutdown(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const int how = arguments.integer(1);
  return arguments.valid() ? sys::shutdown(slot->fd, how) : 0;
}

int accept(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  if (slot == nullptr || !started(arguments)) return -EBADF;
  socklen_t length = kScratchSize;
  const int fd = sys::accept(slot->fd, arguments.address(), &length);
  if (fd < 0) return fd;
  shared(arguments, kNameLength) = static_cast<int32_t>(length);
  return take_in(arguments, fd, slot->domain, slot->type, true);
}

template <int (*name)(int, sockaddr*, socklen_t*)>
int name_of(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  if (slot == nullptr || !started(arguments)) return -EBADF;
  socklen_t length = kScratchSize;
  const int result = name(slot->fd, arguments.address(), &length);
  if (result < 0) return result;
  shared(arguments, kNameLength) = static_cast<int32_t>(length);
  return 0;
}

int getsockopt(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const int level = arguments.integer(1), name = arguments.integer(2);
  const Bytes value = arguments.bytes(3);
  if (!arguments.valid()) return 0;
  auto length = static_cast<socklen_t>(value.length);
  const int result = sys::getsockopt(slot->fd, level, name, value.data, &length);
  return result < 0 ? result : static_cast<int>(length);
}

int setsockopt(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const int level = arguments.integer(1), name = arguments.integer(2);
  const Bytes value = arguments.bytes(3);
  if (!arguments.valid()) return 0;
  return sys::setsockopt(slot->fd, level, name, value.data, static_cast<socklen_t>(value.length));
}

int poll(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const int events = arguments.integer(1);
  return arguments.valid() ? sys::poll(slot->fd, static_cast<short>(events)) : 0;
}

const Export kCalls[] = {
    {"open", entry<open>},
    {"socketpair", entry<socketpair>},
    {"adopt", entry<adopt>},
    {"duplicate", entry<duplicate>},
    {"fd", entry<fd>},
    {"bind", entry<bind>},
    {"connect", entry<connect>},
    {"connectOutcome", entry<connect_outcome>},
    {"listen", entry<listen>},
    {"shutdown", entry<shutdown>},
    {"accept", entry<accept>},
    {"getsockname", entry<name_of<sys::getsockname>>},
    {"getpeername", entry<name_of<sys::getpeername>>},
    {"getsockopt", entry<getsockopt>},
    {"setsockopt", entry<setsockopt>},
    {"poll", entry<poll>},
};

}  // namespace

Exports socket_calls() { return {kCalls, sizeof(kCalls) / sizeof(*kCalls)}; }

}  // namespace eagain::binding
