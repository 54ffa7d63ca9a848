#include "addon/sys/interfaces.h"

#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "addon/sys/address.h"
#include "addon/sys/descriptor.h"
#include "addon/sys/socket.h"

namespace eagain::sys {
namespace {

// An IPv4 address may bear a label, "eth0:1", where the others have the interface's name
// (ip-address(8)).
std::string_view interface_of(const ifaddrs& entry) {
  const std::string_view name = entry.ifa_name;
  return name.substr(0, name.find(':'));
}

// glibc makes no address of a link that has none: of a tunnel (tun), which is there nevertheless.
bool is_link(const ifaddrs& entry) {
  return entry.ifa_addr == nullptr || entry.ifa_addr->sa_family == AF_PACKET;
}

bool is_address(const ifaddrs& entry, std::string_view name) {
  return entry.ifa_addr != nullptr &&
         (entry.ifa_addr->sa_family == AF_INET || entry.ifa_addr->sa_family == AF_INET6) &&
         interface_of(entry) == name;
}

// Longer ones than sockaddr_ll has room for stand behind it (InfiniBand's have 20 bytes).
std::string hex_of(const sockaddr* address, size_t length) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto* bytes =
      reinterpret_cast<const unsigned char*>(address) + offsetof(sockaddr_ll, sll_addr);
  std::string text;
  for (size_t i = 0; i < length; i++) {
    if (i > 0) text += ':';
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

ifreq request_of(const char* name) {
  ifreq request;
  std::memset(&request, 0, sizeof(request));
  std::strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
  return request;
}

int mtu_of(int fd, const char* name) {
  ifreq request = request_of(name);
  return ::ioctl(fd, SIOCGIFMTU, &request) < 0 ? -errno : request.ifr_mtu;
}

// Where the link has no address, asked one by one (netdevice(7)).
sockaddr_ll hardware_of(int fd, const ifaddrs& link) {
  sockaddr_ll hardware;
  std::memset(&hardware, 0, sizeof(hardware));
  if (link.ifa_addr != nullptr) {
    std::memcpy(&hardware, link.ifa_addr, sizeof(hardware));
    return hardware;
  }
  ifreq request = request_of(link.ifa_name);
  if (::ioctl(fd, SIOCGIFHWADDR, &request) == 0) hardware.sll_hatype = request.ifr_hwaddr.sa_family;
  if (::ioctl(fd, SIOCGIFINDEX, &request) == 0) hardware.sll_ifindex = request.ifr_ifindex;
  return hardware;
}

void add_address(Fields& fields, const ifaddrs& entry) {
  fields.number(entry.ifa_addr->sa_family);
  fields.text(text_of(entry.ifa_addr).c_str());
  fields.number(scope_of(entry.ifa_addr));
  fields.text(text_of(entry.ifa_netmask).c_str());
  // One member for both (getifaddrs(3)): the flags say which.
  const bool other = (entry.ifa_flags & (IFF_BROADCAST | IFF_POINTOPOINT)) != 0;
  fields.text(other ? text_of(entry.ifa_broadaddr).c_str() : "");
}

void add_interface(Fields& fields, const ifaddrs& link, const ifaddrs* all, int fd, int mtu) {
  const sockaddr_ll hardware = hardware_of(fd, link);
  fields.text(link.ifa_name);
  fields.number(hardware.sll_ifindex);
  fields.number(link.ifa_flags);
  fields.number(mtu);
  fields.number(hardware.sll_hatype);
  fields.text(hex_of(link.ifa_addr, hardware.sll_halen).c_str());
  const std::string_view name = link.ifa_name;
  int count = 0;
  for (const auto* each = all; each != nullptr; each = each->ifa_next) {
    count += is_address(*each, name);
  }
  fields.number(count);
  for (const auto* each = all; each != nullptr; each = each->ifa_next) {
    if (is_address(*each, name)) add_address(fields, *each);
  }
}

}  // namespace

int interfaces(Fields& fields) {
  const int fd = sys::socket(AF_UNIX, SOCK_DGRAM, 0);
  if (fd < 0) return fd;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) < 0) {
    const int result = -errno;
    sys::close(fd);
    return result;
  }
  for (const auto* each = all; each != nullptr; each = each->ifa_next) {
    if (!is_link(*each)) continue;
    const int mtu = mtu_of(fd, each->ifa_name);
    // Gone since: so it is no interface any more.
    if (mtu >= 0) add_interface(fields, *each, all, fd, mtu);
  }
  ::freeifaddrs(all);
  sys::close(fd);
  return 0;
}

}  // namespace eagain::sys
