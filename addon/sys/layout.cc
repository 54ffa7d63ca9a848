// The structures of addresses and control messages as numbers, so that JavaScript can read and
// write their bytes itself.
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

// <linux/errqueue.h> uses what <sys/time.h> has.
#include <linux/errqueue.h>

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
    SIZE(int),
    SIZE(size_t),
    SIZE(cmsghdr),
    FIELD(cmsghdr, cmsg_len),
    FIELD(cmsghdr, cmsg_level),
    FIELD(cmsghdr, cmsg_type),
    SIZE(ucred),
    FIELD(ucred, pid),
    FIELD(ucred, uid),
    FIELD(ucred, gid),
    SIZE(in_pktinfo),
    FIELD(in_pktinfo, ipi_ifindex),
    FIELD(in_pktinfo, ipi_spec_dst),
    FIELD(in_pktinfo, ipi_addr),
    SIZE(in6_pktinfo),
    FIELD(in6_pktinfo, ipi6_addr),
    FIELD(in6_pktinfo, ipi6_ifindex),
    SIZE(timeval),
    FIELD(timeval, tv_sec),
    FIELD(timeval, tv_usec),
    SIZE(timespec),
    FIELD(timespec, tv_sec),
    FIELD(timespec, tv_nsec),
    SIZE(scm_timestamping),
    SIZE(sock_extended_err),
    FIELD(sock_extended_err, ee_errno),
    FIELD(sock_extended_err, ee_origin),
    FIELD(sock_extended_err, ee_type),
    FIELD(sock_extended_err, ee_code),
    FIELD(sock_extended_err, ee_info),
    FIELD(sock_extended_err, ee_data),
    SIZE(group_req),
    FIELD(group_req, gr_interface),
    FIELD(group_req, gr_group),
    SIZE(group_source_req),
    FIELD(group_source_req, gsr_interface),
    FIELD(group_source_req, gsr_group),
    FIELD(group_source_req, gsr_source),
};

#undef FIELD
#undef SIZE

}  // namespace

Table layout() { return {kLayout, sizeof(kLayout) / sizeof(*kLayout)}; }

}  // namespace eagain::sys
