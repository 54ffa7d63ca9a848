#include "addon/loop/reactor.h"

#include <cerrno>
#include <chrono>
#include <utility>

#include "addon/loop/readiness.h"
#include "addon/sys/descriptor.h"

namespace eagain::loop {
namespace {

using Clock = std::chrono::steady_clock;
// How long a turn goes on looking.
constexpr std::chrono::microseconds kTurn{250};
// How many turns are spared a second look.
constexpr int kSpared = 7;

}  // namespace

Reactor::Reactor(const Receiver& receiver, const HostServices& services)
    : receiver_(receiver), services_(services) {}

int Reactor::open() {
  if (shut_) return -ESHUTDOWN;
  if (host_) return 0;
  auto poller = make_epoll_poller();
  const int opened = poller->open();
  if (opened < 0) return opened;
  auto host = make_uv_host();
  const int hosted = host->open(services_, *poller);
  if (hosted < 0) return hosted;
  poller_ = std::move(poller);
  host_ = std::move(host);
  if (referenced_) host_->reference(true);
  return 0;
}

int Reactor::arm(int token, uint32_t interest) {
  Slot* slot = slots_.find(token);
  if (slot == nullptr) return -EBADF;
  if (interest == 0 || (interest & ~kEveryInterest) != 0) return -EINVAL;
  const int opened = open();
  if (opened < 0) return opened;
  const auto key = static_cast<uint64_t>(token);
  const int armed = slot->registered ? poller_->change(slot->fd, key, interest)
                                     : poller_->add(slot->fd, key, interest);
  if (armed < 0) return armed;
  slot->registered = true;
  slot->armed = static_cast<uint32_t>(armed);
  return armed;
}

int Reactor::disarm(int token) {
  Slot* slot = slots_.find(token);
  if (slot == nullptr) return -EBADF;
  if (slot->armed == 0) return 0;
  slot->armed = 0;
  return poller_->change(slot->fd, static_cast<uint64_t>(token), 0);
}

// A descriptor leaves the poller before it is closed: while a duplicate of it is open anywhere, a
// closed one would go on reporting (epoll(7), Q6).
void Reactor::unregister(Slot& slot) {
  if (slot.registered) poller_->remove(slot.fd);
  slot.registered = false;
  slot.armed = 0;
}

int Reactor::close(int token) {
  const int fd = release(token);
  return fd < 0 ? fd : sys::close(fd);
}

int Reactor::release(int token) {
  Slot* slot = slots_.find(token);
  if (slot == nullptr) return -EBADF;
  const int fd = slot->fd;
  unregister(*slot);
  slots_.release(token);
  return fd;
}

void Reactor::reference(bool alive) {
  if (referenced_ == alive) return;
  referenced_ = alive;
  if (host_ && !shut_) host_->reference(alive);
}

// One look at the poller: its events into the batch from `begin` on. Where the batch ends then.
int Reactor::look(int begin) {
  const int ready = poller_->wait(events_, kMaxEvents - begin, 0);
  int end = begin;
  for (int i = 0; i < ready; i++) {
    const int token = static_cast<int>(events_[i].key);
    Slot* slot = slots_.find(token);
    if (slot == nullptr) continue;  // an earlier tenant's
    if (events_[i].readiness & kDisarmed) slot->armed = 0;
    batch_[2 * end] = token;
    batch_[2 * end + 1] = static_cast<int32_t>(events_[i].readiness);
    end++;
  }
  return end;
}

bool Reactor::deliver(int begin, int end) {
  if (end - begin > kFewEvents) return receiver_.deliver(receiver_.context, begin, end);
  for (int i = begin; i < end; i++) {
    if (shut_ || !receiver_.deliver(receiver_.context, i, i + 1)) return false;
  }
  return true;
}

// While handlers answer, the next messages come: another look finds them without a turn of the
// whole loop, which costs as much as several messages. Where a second look has found nothing (a
// single peer sleeps until it has its answer), the next turns are spared it.
void Reactor::turn() {
  if (shut_ || batch_ == nullptr) return;
  const auto until = Clock::now() + kTurn;
  int begin = 0;
  int end = look(0);
  while (end > begin) {
    if (!deliver(begin, end) || shut_) return;
    const bool first = begin == 0;
    if (first && spared_ > 0) {
      spared_--;
      return;
    }
    begin = end;
    if (begin == kMaxEvents || Clock::now() >= until) return;
    end = look(begin);
    if (first && end == begin) spared_ = kSpared;
  }
}

void Reactor::shut(void (*closed)(void*), void* context) {
  shut_ = true;
  slots_.for_each_open([this](Slot& slot) {
    unregister(slot);
    sys::close(slot.fd);
    slot.open = false;
  });
  closed_ = closed;
  closed_context_ = context;
  if (!host_) return out_of_use();
  host_->close([](void* self) { static_cast<Reactor*>(self)->out_of_use(); }, this);
}

// The poller's descriptor goes after the host that stands on it, and does not wait for this
// object's end: a module registry that was thrown away may be long before its thread's.
void Reactor::out_of_use() {
  poller_.reset();
  closed_(closed_context_);
}

}  // namespace eagain::loop
