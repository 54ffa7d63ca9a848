#include "addon/sys/descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "addon/sys/result.h"

namespace eagain::sys {

// close(2), NOTES: Linux has released the descriptor even when it says EINTR; a second close could
// hit a descriptor that another thread has just been given.
int close(int fd) {
  const int result = once([&] { return ::close(fd); });
  return result == -EINTR ? 0 : result;
}

int duplicate(int fd) {
  return retry([&] { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); });
}

int set_close_on_exec(int fd) {
  return retry([&] { return ::fcntl(fd, F_SETFD, FD_CLOEXEC); });
}

int get_blocking(int fd) {
  const int flags = retry([&] { return ::fcntl(fd, F_GETFL); });
  return flags < 0 ? flags : (flags & O_NONBLOCK) == 0;
}

int set_blocking(int fd, bool blocking) {
  const int flags = retry([&] { return ::fcntl(fd, F_GETFL); });
  if (flags < 0) return flags;
  const int wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  if (wanted == flags) return 0;
  return retry([&] { return ::fcntl(fd, F_SETFL, wanted); });
}

int is_socket(int fd) {
  struct stat status;
  const int result = retry([&] { return ::fstat(fd, &status); });
  if (result < 0) return result;
  return S_ISSOCK(status.st_mode) ? 0 : -ENOTSOCK;
}

}  // namespace eagain::sys
