#include "addon/sys/transfer.h"

#include "addon/sys/result.h"

namespace eagain::sys {
namespace {

constexpr int kSend = MSG_NOSIGNAL | MSG_DONTWAIT;
constexpr int kReceive = MSG_DONTWAIT;

}  // namespace

int send(int fd, const void* data, size_t length, int flags) {
  return retry([&] { return ::send(fd, data, length, flags | kSend); });
}

int sendto(int fd, const void* data, size_t length, int flags, const sockaddr* to,
           socklen_t to_length) {
  return retry([&] { return ::sendto(fd, data, length, flags | kSend, to, to_length); });
}

int sendmsg(int fd, const msghdr* message, int flags) {
  return retry([&] { return ::sendmsg(fd, message, flags | kSend); });
}

int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  return retry([&] { return ::sendmmsg(fd, messages, count, flags | kSend); });
}

int recv(int fd, void* data, size_t length, int flags) {
  return retry([&] { return ::recv(fd, data, length, flags | kReceive); });
}

int recvmsg(int fd, msghdr* message, int flags) {
  return retry([&] { return ::recvmsg(fd, message, flags | kReceive); });
}

int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  return retry([&] { return ::recvmmsg(fd, messages, count, flags | kReceive, nullptr); });
}

}  // namespace eagain::sys
