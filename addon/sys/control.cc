#include "addon/sys/control.h"

#include <cerrno>
#include <cstring>

#include "addon/sys/descriptor.h"

namespace eagain::sys {
namespace {

// Linux 6.5 has it, the C library's headers may not yet; the number is the same on every
// architecture (include/linux/socket.h).
constexpr int kScmPidfd = 0x04;

bool has_descriptors(const cmsghdr& part) {
  return part.cmsg_level == SOL_SOCKET &&
         (part.cmsg_type == SCM_RIGHTS || part.cmsg_type == kScmPidfd);
}

}  // namespace

Taker closing_taker() {
  return {[](void*, int fd) {
            close(fd);
            return -EBADF;
          },
          nullptr};
}

void take_descriptors(msghdr* header, const Taker& taker) {
  for (cmsghdr* part = CMSG_FIRSTHDR(header); part != nullptr; part = CMSG_NXTHDR(header, part)) {
    if (!has_descriptors(*part) || part->cmsg_len < CMSG_LEN(0)) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      unsigned char* place = CMSG_DATA(part) + i * sizeof(int);
      int fd;
      std::memcpy(&fd, place, sizeof(fd));
      // The kernel writes -errno where it had no descriptor for a pidfd (pidfd_prepare in scm.h).
      const int taken = fd < 0 ? fd : taker.take(taker.context, fd);
      if (taken < 0) header->msg_flags |= MSG_CTRUNC;
      fd = taken < 0 ? -1 : taken;
      std::memcpy(place, &fd, sizeof(fd));
    }
  }
}

}  // namespace eagain::sys
