#include "addon/sys/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>

namespace eagain::sys {

int inet_pton(int family, const char* text, void* bytes) {
  const int result = ::inet_pton(family, text, bytes);
  if (result == 1) return 0;
  return result == 0 ? -EINVAL : -errno;
}

int inet_ntop(int family, const void* bytes, char* text, size_t size) {
  if (::inet_ntop(family, bytes, text, size) == nullptr) return -errno;
  return static_cast<int>(std::strlen(text));
}

int if_nametoindex(const char* name) {
  const unsigned index = ::if_nametoindex(name);
  return index != 0 ? static_cast<int>(index) : -errno;
}

int if_indextoname(uint32_t index, char* name) {
  if (::if_indextoname(index, name) == nullptr) return -errno;
  return static_cast<int>(std::strlen(name));
}

std::string text_of(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address == nullptr) return text;
  if (address->sa_family == AF_INET) {
    sockaddr_in inet;
    std::memcpy(&inet, address, sizeof(inet));
    ::inet_ntop(AF_INET, &inet.sin_addr, text, sizeof(text));
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 inet6;
    std::memcpy(&inet6, address, sizeof(inet6));
    ::inet_ntop(AF_INET6, &inet6.sin6_addr, text, sizeof(text));
  }
  return text;
}

uint32_t scope_of(const sockaddr* address) {
  if (address->sa_family != AF_INET6) return 0;
  sockaddr_in6 inet6;
  std::memcpy(&inet6, address, sizeof(inet6));
  return inet6.sin6_scope_id;
}

}  // namespace eagain::sys
