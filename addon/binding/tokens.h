// How descriptors become tokens: from here on they are the environment's, which closes them.
#pragma once

#include "addon/binding/arguments.h"

namespace eagain::binding {

// The token of a descriptor that nobody owns yet, or -errno: then the descriptor is closed.
int take_in(Arguments& arguments, int fd, int domain, int type, bool restore_blocking);

// The same for both ends of a pair, whose tokens are left at kFacts and kFacts + 1: 0, or -errno.
int take_in_pair(Arguments& arguments, const int fds[2], int domain, int type);

}  // namespace eagain::binding
