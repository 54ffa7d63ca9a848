// Control data, cmsg(3), as far as it has to be touched before JavaScript sees it: the descriptors
// in it. All other kinds are bytes to this side of the wall.
#pragma once

#include <sys/socket.h>

namespace eagain::sys {

// Who takes a descriptor that came: answers with what is to stand in its place (≥ 0), or has closed
// it and answers with -errno.
struct Taker {
  int (*take)(void* context, int fd) = nullptr;
  void* context = nullptr;
};

// Closes it: descriptors that nobody asked for are nobody's.
Taker closing_taker();

// Hands every descriptor of a message that recvmsg(2) has filled in (SCM_RIGHTS, SCM_PIDFD) to
// `taker`; what is not taken is -1 from then on, and MSG_CTRUNC tells of it.
void take_descriptors(msghdr* header, const Taker& taker);

}  // namespace eagain::sys
