// What every descriptor has, socket or not: open-file flags, duplicates, an end. Knows no
// addresses.
#pragma once

namespace eagain::sys {

int close(int fd);
int duplicate(int fd);          // F_DUPFD_CLOEXEC
int set_close_on_exec(int fd);  // FD_CLOEXEC
int get_blocking(int fd);       // 1 = O_NONBLOCK is clear, 0 = it is set
int set_blocking(int fd, bool blocking);
int is_socket(int fd);  // 0, or -ENOTSOCK, -EBADF

}  // namespace eagain::sys
