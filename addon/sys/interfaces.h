// Network interfaces and their addresses. Asks the kernel, and waits for nothing.
#pragma once

#include "addon/sys/fields.h"

namespace eagain::sys {

// 0, or -errno. Of each interface: name, index, flags, MTU, hardware type, hardware address (hex,
// colons), and the list of its addresses: family, address, scope, netmask, and the address at the
// other end (IFF_POINTOPOINT) or for all (IFF_BROADCAST), '' where there is none.
int interfaces(Fields& fields);

}  // namespace eagain::sys
