// Names and numbers that only this platform's headers know, as tables that JavaScript can read.
#pragma once

#include <cstddef>

namespace eagain::sys {

struct Entry {
  const char* name;
  double value;
};

struct Table {
  const Entry* entries;
  size_t size;
};

Table constants();  // AF_, SOCK_, SO_, MSG_, E… : whatever the headers define
Table layout();     // sizes and offsets of the sockaddr structures

}  // namespace eagain::sys
