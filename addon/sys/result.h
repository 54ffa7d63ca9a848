// The one convention of the cellar: a system call's outcome is an int, ≥ 0 or -errno.
// EAGAIN is such a value like any other. Nothing here throws, allocates or waits.
#pragma once

#include <cerrno>

namespace eagain::sys {

// A signal may interrupt even a nonblocking call before it has done anything (signal(7)): made
// again.
template <typename SystemCall>
int retry(SystemCall call) {
  for (;;) {
    const auto result = call();
    if (result >= 0) return static_cast<int>(result);
    if (errno != EINTR) return -errno;
  }
}

// For the calls that must not be made twice: close(2) (the descriptor is gone even on EINTR) and
// connect(2) (which goes on by itself and would say EALREADY).
template <typename SystemCall>
int once(SystemCall call) {
  const auto result = call();
  return result >= 0 ? static_cast<int>(result) : -errno;
}

}  // namespace eagain::sys
