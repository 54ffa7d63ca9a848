// epoll(7), edge-triggered: one EPOLL_CTL_ADD in a connection's life, for all directions at once.
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
constexpr uint32_t kEverything = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLERR | EPOLLET;

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

  int add(int fd, uint64_t key, uint32_t) override {
    return control(EPOLL_CTL_ADD, fd, key, kEverything);
  }

  // EPOLL_CTL_MOD looks at the descriptor's state anew, so an edge that was never seen is seen
  // then. EPOLLERR and EPOLLHUP cannot be masked (epoll_ctl(2)); EPOLLET keeps them to one report
  // each.
  int change(int fd, uint64_t key, uint32_t interest) override {
    return control(EPOLL_CTL_MOD, fd, key,
                   interest == 0 ? static_cast<uint32_t>(EPOLLET) : kEverything);
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
  int control(int operation, int fd, uint64_t key, uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = key;
    const int result = sys::once([&] { return ::epoll_ctl(fd_, operation, fd, &event); });
    if (result < 0) return result;
    return events == kEverything ? static_cast<int>(kEveryInterest) : 0;
  }

  int fd_ = -1;
  epoll_event ready_[kCapacity];
};

}  // namespace

std::unique_ptr<Poller> make_epoll_poller() { return std::make_unique<EpollPoller>(); }

}  // namespace eagain::loop
