// send(2) and recv(2) with all their kin. MSG_NOSIGNAL, MSG_DONTWAIT and MSG_CMSG_CLOEXEC are
// always added: no SIGPIPE, no wait even where somebody cleared O_NONBLOCK, no descriptor that
// outlives an exec.
#pragma once

#include <sys/socket.h>

namespace eagain::sys {

int send(int fd, const void* data, size_t length, int flags);
int sendto(int fd, const void* data, size_t length, int flags, const sockaddr* to,
           socklen_t to_length);
int sendmsg(int fd, const msghdr* message, int flags);
int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags);
int recv(int fd, void* data, size_t length, int flags);
int recvmsg(int fd, msghdr* message, int flags);
int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags);

}  // namespace eagain::sys
