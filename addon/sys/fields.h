// What the C library knows by name, flat: a row of fields, each of which ends with a NUL, which no
// C string has within. Numbers are decimal, lists have their length before them.
// lib/names/fields.ts reads it.
#pragma once

#include <string>

namespace eagain::sys {

class Fields {
 public:
  void text(const char* field) {
    if (field != nullptr) bytes_ += field;
    bytes_ += '\0';
  }

  void number(long long field) {
    bytes_ += std::to_string(field);
    bytes_ += '\0';
  }

  // A list of strings, as the C library has it: behind the last one stands nullptr.
  void texts(char** list) {
    long long length = 0;
    while (list != nullptr && list[length] != nullptr) length++;
    number(length);
    for (long long i = 0; i < length; i++) text(list[i]);
  }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace eagain::sys
