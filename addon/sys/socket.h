// <sys/socket.h> but for the transfer of data: one function per system call, by its own name.
// Every descriptor made here is close-on-exec and nonblocking from its first instant.
#pragma once

#include <sys/socket.h>

namespace eagain::sys {

int socket(int domain, int type, int protocol);
int socketpair(int domain, int type, int protocol, int fds[2]);
int bind(int fd, const sockaddr* address, socklen_t length);
int listen(int fd, int backlog);
int connect(int fd, const sockaddr* address, socklen_t length);
int accept(int fd, sockaddr* address, socklen_t* length);
int shutdown(int fd, int how);
int getsockname(int fd, sockaddr* address, socklen_t* length);
int getpeername(int fd, sockaddr* address, socklen_t* length);
int getsockopt(int fd, int level, int name, void* value, socklen_t* length);
int setsockopt(int fd, int level, int name, const void* value, socklen_t length);
int poll(int fd, short events);  // revents of now, without waiting

// How a connect that said EINPROGRESS ended: 0, -EAGAIN while it goes on, or its error. Takes
// SO_ERROR.
int connect_outcome(int fd);

}  // namespace eagain::sys
