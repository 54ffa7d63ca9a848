#include "addon/sys/file_transfer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <time.h>
#include <unistd.h>

#include "addon/sys/descriptor.h"
#include "addon/sys/result.h"

namespace eagain::sys {
namespace {

static_assert(sizeof(off_t) == sizeof(int64_t), "files are larger than 2 GiB");

// Keeps a SIGPIPE that a call raises in this thread from ever being delivered: blocked, it stays
// pending (even where it is ignored), and is taken back. One that was pending before is not ours.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigset_t pending;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }

  ~WithoutSigpipe() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  int answer(int result) {
    const timespec none{0, 0};
    if (result == -EPIPE && !was_pending_)
      retry([&] { return sigtimedwait(&pipe_, nullptr, &none); });
    return result;
  }

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_;
};

}  // namespace

int sendfile(int to, int file, int64_t* offset, size_t length) {
  WithoutSigpipe quiet;
  return quiet.answer(
      nonblocking(to, [&] { return retry([&] { return ::sendfile(to, file, offset, length); }); }));
}

// SPLICE_F_NONBLOCK is about the pipe; TCP as the source (tcp_splice_read), and older kernels'
// sockets as the target (sock_sendpage), go by O_NONBLOCK.
int splice(int from, int to, size_t length) {
  const unsigned flags = SPLICE_F_NONBLOCK | SPLICE_F_MOVE;
  const auto move = [&] { return ::splice(from, nullptr, to, nullptr, length, flags); };
  WithoutSigpipe quiet;
  return quiet.answer(
      nonblocking(from, [&] { return nonblocking(to, [&] { return retry(move); }); }));
}

int pipe(int fds[2]) {
  return once([&] { return ::pipe2(fds, O_CLOEXEC | O_NONBLOCK); });
}

int read(int fd, void* data, size_t length) {
  return retry([&] { return ::read(fd, data, length); });
}

}  // namespace eagain::sys
