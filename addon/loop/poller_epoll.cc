// epoll(7), edge-triggered.
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "addon/loop/poller.h"
#include "addon/loop/readiness.h"
#include "addon/sys/descriptor.h"
#include "addon/sys/result.h"

namespace eagain::loop {
namespace {

constexpr int kCapacity = 256;

// EPOLLERR and EPOLLHUP are reported in any case (epoll_ctl(2)), EPOLLET keeps them to one report
// each.
uint32_t events_of(uint32_t interest) {
  uint32_t events = EPOLLET;
  if (interest & kRead) events |= EPOLLIN | EPOLLRDHUP;
  if (interest & kWrite) events |= EPOLLOUT;
  if (interest & kPriority) events |= EPOLLPRI;
  return events;
}

uint32_t readiness_of(uint32_t events) {
  uint32_t readiness = 0;
  if (events & EPOLLIN) readiness |= kRead;
  if (events & EPOLLOUT) readiness |= kWrite;
  if (events & EPOLLPRI) readiness |= kPriority;
  if (events & EPOLLERR) readiness |= kError;
  if (events & EPOLLHUP) readiness |= kHangup;
  if (events & EPOLLRDHUP) readiness |= kPeerClosed;
  return readiness;
}

class EpollPoller final : public Poller {
 public:
  ~EpollPoller() override {
    if (fd_ >= 0) sys::close(fd_);
  }

  int open() override {
    const int fd = sys::once([] { return ::epoll_create1(EPOLL_CLOEXEC); });
    if (fd >= 0) fd_ = fd;
    return std::min(fd, 0);
  }

  int add(int fd, uint64_t key, uint32_t interest) override {
    return control(EPOLL_CTL_ADD, fd, key, interest);
  }

  // EPOLL_CTL_MOD looks at the descriptor's state anew, so an edge that was never seen is seen
  // then.
  int change(int fd, uint64_t key, uint32_t interest) override {
    return control(EPOLL_CTL_MOD, fd, key, interest);
  }

  int remove(int fd) override {
    return sys::once([&] { return ::epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr); });
  }

  int wait(Event* events, int capacity, int timeout) override {
    const int count = sys::retry(
        [&] { return ::epoll_wait(fd_, ready_, std::min(capacity, kCapacity), timeout); });
    for (int i = 0; i < count; i++)
      events[i] = {ready_[i].data.u64, readiness_of(ready_[i].events)};
    return count;
  }

  int descriptor() const override { return fd_; }

 private:
  int control(int operation, int fd, uint64_t key, uint32_t interest) {
    epoll_event event{};
    event.events = events_of(interest);
    event.data.u64 = key;
    const int result = sys::once([&] { return ::epoll_ctl(fd_, operation, fd, &event); });
    return result < 0 ? result : static_cast<int>(interest);
  }

  int fd_ = -1;
  epoll_event ready_[kCapacity];
};

}  // namespace

std::unique_ptr<Poller> make_epoll_poller() { return std::make_unique<EpollPoller>(); }

}  // namespace eagain::loop
