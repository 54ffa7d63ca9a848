// Text of addresses and interfaces for JavaScript.
#include "addon/sys/address.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "addon/binding/arguments.h"

namespace eagain::binding {
namespace {

// NUL-terminated, or nothing where argument i is no string, has a NUL of its own or does not fit.
template <size_t kSize>
bool text(Arguments& arguments, size_t i, char (&buffer)[kSize]) {
  size_t length = 0;
  return napi_get_value_string_utf8(arguments.env(), arguments.value(i), buffer, kSize, &length) ==
             napi_ok &&
         length < kSize - 1 && std::strlen(buffer) == length;
}

size_t size_of(int family) { return family == AF_INET6 ? sizeof(in6_addr) : sizeof(in_addr); }

// pton(family, text, out, offset)
int pton(Arguments& arguments) {
  const int family = arguments.integer(0);
  const Bytes out = arguments.bytes(2);
  const int offset = arguments.integer(3);
  char buffer[INET6_ADDRSTRLEN + 2];
  if (!arguments.valid() || !text(arguments, 1, buffer)) return -EINVAL;
  if (family != AF_INET && family != AF_INET6) return -EAFNOSUPPORT;
  if (offset < 0 || out.length < size_of(family) ||
      static_cast<size_t>(offset) > out.length - size_of(family)) {
    return -EFAULT;
  }
  return sys::inet_pton(family, buffer, out.data + offset);
}

// ntop(family, bytes, offset): the text, or undefined.
napi_value ntop(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int family = arguments.integer(0);
  const Bytes bytes = arguments.bytes(1);
  const int offset = arguments.integer(2);
  if (!arguments.valid() || offset < 0 || bytes.length < size_of(family) ||
      static_cast<size_t>(offset) > bytes.length - size_of(family)) {
    return nullptr;
  }
  char buffer[INET6_ADDRSTRLEN];
  const int length = sys::inet_ntop(family, bytes.data + offset, buffer, sizeof(buffer));
  napi_value result = nullptr;
  if (length >= 0) napi_create_string_latin1(env, buffer, static_cast<size_t>(length), &result);
  return result;
}

int if_nametoindex(Arguments& arguments) {
  char name[IF_NAMESIZE + 1];
  return text(arguments, 0, name) ? sys::if_nametoindex(name) : -ENODEV;
}

napi_value if_indextoname(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int index = arguments.integer(0);
  char name[IF_NAMESIZE];
  if (!arguments.valid()) return nullptr;
  const int length = sys::if_indextoname(static_cast<uint32_t>(index), name);
  napi_value result = nullptr;
  if (length >= 0) napi_create_string_utf8(env, name, static_cast<size_t>(length), &result);
  return result;
}

const Export kCalls[] = {
    {"pton", entry<pton>},
    {"ntop", ntop},
    {"ifNameToIndex", entry<if_nametoindex>},
    {"ifIndexToName", if_indextoname},
};

}  // namespace

Exports address_calls() { return {kCalls, sizeof(kCalls) / sizeof(*kCalls)}; }

}  // namespace eagain::binding
