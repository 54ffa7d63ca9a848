// What every descriptor has, socket or not: open-file flags, duplicates, an end. Knows no
// addresses.
#pragma once

namespace eagain::sys {

int close(int fd);
int duplicate(int fd);          // F_DUPFD_CLOEXEC
int set_close_on_exec(int fd);  // FD_CLOEXEC
int get_blocking(int fd);       // 1 = O_NONBLOCK is clear, 0 = it is set
int set_blocking(int fd, bool blocking);

// `call`, which knows no MSG_DONTWAIT and goes by O_NONBLOCK of `fd`. That belongs to the open
// file: whoever got a duplicate may have cleared it since. (libuv does, in a child, of what it
// inherits as its descriptors 0 to 2.)
template <typename SystemCall>
int nonblocking(int fd, SystemCall call) {
  const int result = set_blocking(fd, false);
  return result < 0 ? result : call();
}
int is_socket(int fd);  // 0, or -ENOTSOCK, -EBADF

}  // namespace eagain::sys
