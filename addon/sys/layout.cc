// The sockaddr structures as numbers, so that JavaScript can read and write their bytes itself.
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "addon/sys/table.h"

namespace eagain::sys {
namespace {

#define FIELD(type, field) {#type "." #field, static_cast<double>(offsetof(type, field))}
#define SIZE(type) {#type, static_cast<double>(sizeof(type))}

const Entry kLayout[] = {
    SIZE(sockaddr_storage),
    FIELD(sockaddr, sa_family),
    FIELD(sockaddr, sa_data),
    SIZE(sockaddr_in),
    FIELD(sockaddr_in, sin_port),
    FIELD(sockaddr_in, sin_addr),
    SIZE(sockaddr_in6),
    FIELD(sockaddr_in6, sin6_port),
    FIELD(sockaddr_in6, sin6_flowinfo),
    FIELD(sockaddr_in6, sin6_addr),
    FIELD(sockaddr_in6, sin6_scope_id),
    SIZE(sockaddr_un),
    FIELD(sockaddr_un, sun_path),
    SIZE(sockaddr_ll),
    FIELD(sockaddr_ll, sll_protocol),
    FIELD(sockaddr_ll, sll_ifindex),
    FIELD(sockaddr_ll, sll_hatype),
    FIELD(sockaddr_ll, sll_pkttype),
    FIELD(sockaddr_ll, sll_halen),
    FIELD(sockaddr_ll, sll_addr),
    SIZE(sockaddr_nl),
    FIELD(sockaddr_nl, nl_pid),
    FIELD(sockaddr_nl, nl_groups),
    SIZE(sockaddr_vm),
    FIELD(sockaddr_vm, svm_port),
    FIELD(sockaddr_vm, svm_cid),
};

#undef FIELD
#undef SIZE

}  // namespace

Table layout() { return {kLayout, sizeof(kLayout) / sizeof(*kLayout)}; }

}  // namespace eagain::sys
