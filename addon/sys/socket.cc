#include "addon/sys/socket.h"

#include <poll.h>

#include "addon/sys/descriptor.h"
#include "addon/sys/result.h"

namespace eagain::sys {

int socket(int domain, int type, int protocol) {
  return once([&] { return ::socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol); });
}

int socketpair(int domain, int type, int protocol, int fds[2]) {
  return once(
      [&] { return ::socketpair(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol, fds); });
}

int bind(int fd, const sockaddr* address, socklen_t length) {
  return retry([&] { return ::bind(fd, address, length); });
}

int listen(int fd, int backlog) {
  return retry([&] { return ::listen(fd, backlog); });
}

int connect(int fd, const sockaddr* address, socklen_t length) {
  const int result =
      nonblocking(fd, [&] { return once([&] { return ::connect(fd, address, length); }); });
  return result == -EINTR ? -EINPROGRESS : result;
}

int accept(int fd, sockaddr* address, socklen_t* length) {
  return nonblocking(fd, [&] {
    return retry([&] { return ::accept4(fd, address, length, SOCK_CLOEXEC | SOCK_NONBLOCK); });
  });
}

int shutdown(int fd, int how) {
  return retry([&] { return ::shutdown(fd, how); });
}

int getsockname(int fd, sockaddr* address, socklen_t* length) {
  return retry([&] { return ::getsockname(fd, address, length); });
}

int getpeername(int fd, sockaddr* address, socklen_t* length) {
  return retry([&] { return ::getpeername(fd, address, length); });
}

int getsockopt(int fd, int level, int name, void* value, socklen_t* length) {
  return retry([&] { return ::getsockopt(fd, level, name, value, length); });
}

int setsockopt(int fd, int level, int name, const void* value, socklen_t length) {
  return retry([&] { return ::setsockopt(fd, level, name, value, length); });
}

int poll(int fd, short events) {
  pollfd entry{fd, events, 0};
  const int result = retry([&] { return ::poll(&entry, 1, 0); });
  return result < 0 ? result : entry.revents;
}

// connect(2), EINPROGRESS: writability announces the end and SO_ERROR tells it. Writability alone
// is a hint: a socket whose SO_ERROR is 0 and that has no peer yet is still connecting.
int connect_outcome(int fd) {
  int error = 0;
  socklen_t length = sizeof(error);
  const int result = sys::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (result < 0) return result;
  if (error != 0) return -error;
  sockaddr_storage peer;
  socklen_t peer_length = sizeof(peer);
  const int named = sys::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_length);
  if (named != -ENOTCONN) return named;
  const int state = poll(fd, POLLOUT);
  if (state < 0) return state;
  return (state & POLLHUP) != 0 ? -ENOTCONN : -EAGAIN;
}

}  // namespace eagain::sys
