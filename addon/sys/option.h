// getsockopt(2) and setsockopt(2) for values that JavaScript chose: whatever it asks for, the
// kernel writes into the memory that was meant for it and nowhere else.
#pragma once

#include <cstddef>
#include <cstdint>

namespace eagain::sys {

// Memory that ends where forbidden memory begins, which is at least as long again. Several options
// write more than their length allows, because they count in something else or believe a count in
// their input (IP_MSFILTER, MCAST_MSFILTER, TCP_AO_GET_KEYS): that is EFAULT here. Kept from call
// to call: mapping it costs ten times what the option does.
class FencedMemory {
 public:
  FencedMemory() = default;
  ~FencedMemory();
  FencedMemory(const FencedMemory&) = delete;
  FencedMemory& operator=(const FencedMemory&) = delete;

  // The last `size` bytes before the fence; nullptr where there is no memory to be had.
  uint8_t* last(size_t size);

 private:
  bool grow(size_t size);

  uint8_t* base_ = nullptr;
  size_t room_ = 0;
  size_t total_ = 0;
};

// The option's value into the `size` bytes at `value`, which are also its input. How many bytes the
// kernel has, which may be more than `size`, or -errno.
int get_option(FencedMemory& memory, int fd, int level, int name, void* value, size_t size);

// An option whose value is a sock_fprog: `size` bytes of classic BPF instructions.
int set_program(int fd, int level, int name, const void* instructions, size_t size);

}  // namespace eagain::sys
