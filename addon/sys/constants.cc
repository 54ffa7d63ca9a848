// Every constant of the sockets chapter that this platform's headers define, by name. The list is
// written by scripts/constants.mjs, the numbers are the headers'.
#include <arpa/inet.h>
#include <asm/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in6.h>
#include <linux/mptcp.h>
#include <linux/net_tstamp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "addon/sys/constants_newer.inc"
#include "addon/sys/table.h"

namespace eagain::sys {
namespace {

const Entry kConstants[] = {
#define CONSTANT(name) {#name, static_cast<double>(name)},
#include "addon/sys/constants.inc"
#undef CONSTANT
};

}  // namespace

Table constants() { return {kConstants, sizeof(kConstants) / sizeof(*kConstants)}; }

}  // namespace eagain::sys
