#include "addon/sys/address.h"

#include <arpa/inet.h>
#include <net/if.h>

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

}  // namespace eagain::sys
