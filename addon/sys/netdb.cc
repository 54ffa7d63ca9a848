#include "addon/sys/netdb.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "addon/sys/address.h"

namespace eagain::sys {
namespace {

Answer failed(int status) {
  Answer answer;
  answer.status = status;
  if (status == EAI_SYSTEM) answer.error = errno;
  return answer;
}

// Both families of IP have the port in the same place; getaddrinfo makes no others.
uint16_t port_of(const sockaddr* address) {
  sockaddr_in inet;
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port), "");
  std::memcpy(&inet, address, sizeof(inet));
  return ntohs(inet.sin_port);
}

union Address {
  sockaddr any;
  sockaddr_in inet;
  sockaddr_in6 inet6;
};

// The length of what `given` says, in `address`; 0 where that is no address.
socklen_t encode(const InternetAddress& given, Address& address) {
  std::memset(&address, 0, sizeof(address));
  address.any.sa_family = static_cast<sa_family_t>(given.family);
  const bool six = given.family == AF_INET6;
  if (!six && given.family != AF_INET) return 0;
  void* bytes = six ? static_cast<void*>(&address.inet6.sin6_addr) : &address.inet.sin_addr;
  if (sys::inet_pton(given.family, given.address.c_str(), bytes) < 0) return 0;
  if (six) {
    address.inet6.sin6_port = htons(given.port);
    address.inet6.sin6_scope_id = given.scope;
    return sizeof(sockaddr_in6);
  }
  address.inet.sin_port = htons(given.port);
  return sizeof(sockaddr_in);
}

}  // namespace

Answer getaddrinfo(const OptionalText& host, const OptionalText& service, const Hints& given) {
  addrinfo hints;
  std::memset(&hints, 0, sizeof(hints));
  hints.ai_flags = given.flags;
  hints.ai_family = given.family;
  hints.ai_socktype = given.type;
  hints.ai_protocol = given.protocol;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(pointer(host), pointer(service), &hints, &found);
  if (status != 0) return failed(status);
  Answer answer;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    answer.fields.number(each->ai_family);
    answer.fields.number(each->ai_socktype);
    answer.fields.number(each->ai_protocol);
    answer.fields.text(text_of(each->ai_addr).c_str());
    answer.fields.number(port_of(each->ai_addr));
    answer.fields.number(scope_of(each->ai_addr));
    answer.fields.text(each->ai_canonname);
  }
  ::freeaddrinfo(found);
  return answer;
}

Answer getnameinfo(const InternetAddress& given, int flags) {
  Address address;
  const socklen_t length = encode(given, address);
  if (length == 0) return failed(EAI_FAMILY);
  char host[NI_MAXHOST] = "", service[NI_MAXSERV] = "";
  const int status =
      ::getnameinfo(&address.any, length, host, sizeof(host), service, sizeof(service), flags);
  if (status != 0) return failed(status);
  Answer answer;
  answer.fields.text(host);
  answer.fields.text(service);
  return answer;
}

const char* gai_strerror(int status) { return ::gai_strerror(status); }

}  // namespace eagain::sys
