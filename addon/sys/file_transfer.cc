#include "addon/sys/file_transfer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <time.h>
#include <unistd.h>

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
  return quiet.answer(retry([&] { return ::sendfile(to, file, offset, length); }));
}

// SPLICE_F_NONBLOCK: no wait for the pipe, nor for a socket whose O_NONBLOCK somebody has cleared.
int splice(int from, int to, size_t length) {
  WithoutSigpipe quiet;
  return quiet.answer(retry([&] {
    return ::splice(from, nullptr, to, nullptr, length, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  }));
}

int pipe(int fds[2]) {
  return once([&] { return ::pipe2(fds, O_CLOEXEC | O_NONBLOCK); });
}

int read(int fd, void* data, size_t length) {
  return retry([&] { return ::read(fd, data, length); });
}

}  // namespace eagain::sys
