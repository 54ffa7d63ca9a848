// Text ⇄ bytes of addresses and interfaces, by the C library's own functions.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace eagain::sys {

int inet_pton(int family, const char* text, void* bytes);  // 0, or -EINVAL, -EAFNOSUPPORT
int inet_ntop(int family, const void* bytes, char* text, size_t size);  // length of the text
int if_nametoindex(const char* name);                                   // ≥ 1, or -ENODEV
int if_indextoname(uint32_t index, char* name);                         // name: IF_NAMESIZE bytes

std::string text_of(const sockaddr* address);  // '' where there is none, or none of IP
uint32_t scope_of(const sockaddr* address);    // the interface's index; 0 where none is said

}  // namespace eagain::sys
