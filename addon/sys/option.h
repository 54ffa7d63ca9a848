// getsockopt(2) and setsockopt(2) for values that JavaScript chose: whatever it asks for, the
// kernel writes into the memory that was meant for it and nowhere else.
#pragma once

#include <cstddef>

namespace eagain::sys {

// The option's value into the `size` bytes at `value`, which are also its input. How many bytes the
// kernel has, which may be more than `size`, or -errno.
int get_option(int fd, int level, int name, void* value, size_t size);

// An option whose value is a sock_fprog: `size` bytes of classic BPF instructions.
int set_program(int fd, int level, int name, const void* instructions, size_t size);

}  // namespace eagain::sys
