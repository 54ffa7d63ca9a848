// Bytes that go from one descriptor to another without passing through this process: sendfile(2)
// and splice(2), and the pipe that the latter needs. Never SIGPIPE, which these calls have no flag
// against.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace eagain::sys {

// From `offset` of the file on, or from its own position, which then moves, where `offset` is null.
int sendfile(int to, int file, int64_t* offset, size_t length);
// One of the two is a pipe.
int splice(int from, int to, size_t length);
int pipe(int fds[2]);  // {read from, write to}
int read(int fd, void* data, size_t length);

}  // namespace eagain::sys
