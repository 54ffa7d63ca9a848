#include "addon/sys/owner.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "addon/sys/result.h"

namespace eagain::sys {

int set_owner(int fd, bool group, int id) {
  const f_owner_ex owner{group ? F_OWNER_PGRP : F_OWNER_PID, id};
  return retry([&] { return ::fcntl(fd, F_SETOWN_EX, &owner); });
}

int get_owner(int fd, bool* group) {
  f_owner_ex owner{};
  const int result = retry([&] { return ::fcntl(fd, F_GETOWN_EX, &owner); });
  if (result < 0) return result;
  *group = owner.type == F_OWNER_PGRP;
  return owner.pid;
}

int set_signal(int fd, int signal) {
  return retry([&] { return ::fcntl(fd, F_SETSIG, signal); });
}

int get_signal(int fd) {
  return retry([&] { return ::fcntl(fd, F_GETSIG); });
}

int set_async(int fd, bool on) {
  const int flags = retry([&] { return ::fcntl(fd, F_GETFL); });
  if (flags < 0) return flags;
  return retry([&] { return ::fcntl(fd, F_SETFL, on ? flags | O_ASYNC : flags & ~O_ASYNC); });
}

int get_async(int fd) {
  const int flags = retry([&] { return ::fcntl(fd, F_GETFL); });
  return flags < 0 ? flags : (flags & O_ASYNC) != 0;
}

int at_mark(int fd) {
  return retry([&] { return ::sockatmark(fd); });
}

}  // namespace eagain::sys
