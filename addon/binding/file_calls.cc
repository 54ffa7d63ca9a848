// sendfile(2), splice(2) and the latter's pipe for JavaScript.
#include "addon/sys/file_transfer.h"

#include "addon/binding/arguments.h"
#include "addon/binding/tokens.h"

namespace eagain::binding {
namespace {

// What one call moves at most on Linux (MAX_RW_COUNT): the answer is an int.
constexpr int64_t kMost = 0x7ffff000;

// sendfile(token, fd, offset, length): offset -1 is the file's own position.
int sendfile(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const int file = arguments.integer(1);
  int64_t offset = arguments.large(2);
  const int64_t length = arguments.large(3);
  if (!arguments.valid()) return 0;
  if (offset < -1 || length < 0 || length > kMost) return -EINVAL;
  return sys::sendfile(slot->fd, file, offset < 0 ? nullptr : &offset, static_cast<size_t>(length));
}

// Leaves the tokens of its two ends, to read from and to write to, at kFacts and kFacts + 1.
int pipe(Arguments& arguments) {
  if (arguments.environment().shared() == nullptr) return -EINVAL;
  int fds[2];
  const int result = sys::pipe(fds);
  return result < 0 ? result : take_in_pair(arguments, fds, 0, 0);
}

// splice(from, to, length): tokens, one of them a pipe's.
int splice(Arguments& arguments) {
  const loop::Slot* from = arguments.slot(0);
  const loop::Slot* to = arguments.slot(1);
  const int64_t length = arguments.large(2);
  if (!arguments.valid()) return 0;
  if (length < 0 || length > kMost) return -EINVAL;
  return sys::splice(from->fd, to->fd, static_cast<size_t>(length));
}

// read(token, into, offset, length)
int read(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const Bytes into = arguments.slice(1);
  return arguments.valid() ? sys::read(slot->fd, into.data, into.length) : 0;
}

const Export kCalls[] = {
    {"sendfile", entry<sendfile>},
    {"pipe", entry<pipe>},
    {"splice", entry<splice>},
    {"read", entry<read>},
};

}  // namespace

Exports file_calls() { return {kCalls, sizeof(kCalls) / sizeof(*kCalls)}; }

}  // namespace eagain::binding
