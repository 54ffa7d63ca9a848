#include "addon/sys/message_batch.h"

#include <algorithm>
#include <cerrno>

#include "addon/sys/transfer.h"

namespace eagain::sys {

MessageBatch::MessageBatch() : headers_(kCapacity), vectors_(2 * kCapacity) {}

namespace {

// Each place begins where a cmsghdr may.
unsigned aligned(unsigned size) { return CMSG_ALIGN(size); }

}  // namespace

void* MessageBatch::control(unsigned size) {
  return memory_.receive == nullptr || size > kControlSize ? nullptr
                                                           : memory_.receive + kControlOffset;
}

int MessageBatch::receive(int fd, const Wanted& wanted, int flags) {
  const auto [max, size, control, taker] = wanted;
  if (memory_.receive == nullptr || max == 0 || size > kHead + kTailSize) return -EINVAL;
  if (control > kControlSize) return -EINVAL;
  const unsigned tail = size > kHead ? size - kHead : 0;
  unsigned count = std::min(max, kCapacity);
  if (tail > 0) count = std::min(count, kTailSize / tail);
  const unsigned stride = aligned(control);
  if (control > 0) count = std::min(count, kControlSize / stride);
  for (unsigned i = 0; i < count; i++) {
    iovec* vector = &vectors_[2 * i];
    vector[0] = {memory_.receive + i * kHeadStride, std::min(size, kHead)};
    vector[1] = {memory_.receive + kTailOffset + i * tail, tail};
    msghdr& header = headers_[i].msg_hdr;
    header = {};
    header.msg_name = memory_.receive + kNamesOffset + i * kNameStride;
    header.msg_namelen = kNameStride;
    header.msg_iov = vector;
    header.msg_iovlen = tail > 0 ? 2 : 1;
    if (control > 0) {
      header.msg_control = memory_.receive + kControlOffset + i * stride;
      header.msg_controllen = control;
    }
  }
  const int received = sys::recvmmsg(fd, headers_.data(), count, flags);
  for (int i = 0; i < received; i++) {
    if (taker.take != nullptr) take_descriptors(&headers_[i].msg_hdr, taker);
    int32_t* facts = memory_.facts + i * kFacts;
    facts[0] = static_cast<int32_t>(headers_[i].msg_len);
    // recvmsg(2) hands this one of our own flags back.
    facts[1] = headers_[i].msg_hdr.msg_flags & ~MSG_CMSG_CLOEXEC;
    facts[2] = static_cast<int32_t>(headers_[i].msg_hdr.msg_namelen);
    facts[3] = static_cast<int32_t>(headers_[i].msg_hdr.msg_controllen);
  }
  return received;
}

int MessageBatch::send(int fd, unsigned count, int flags) {
  if (memory_.send == nullptr || count == 0 || count > kCapacity) return -EINVAL;
  for (unsigned i = 0; i < count; i++) {
    const int32_t* facts = memory_.facts + i * kOutgoing;
    const auto at = static_cast<uint32_t>(facts[0]), data = static_cast<uint32_t>(facts[1]),
               name = static_cast<uint32_t>(facts[2]), control = static_cast<uint32_t>(facts[3]);
    if (uint64_t{at} + data + name + control > kSendSize) return -EFAULT;
    uint8_t* start = memory_.send + at;
    vectors_[2 * i] = {start, data};
    msghdr& header = headers_[i].msg_hdr;
    header = {};
    header.msg_name = name > 0 ? start + data : nullptr;
    header.msg_namelen = name;
    header.msg_iov = &vectors_[2 * i];
    header.msg_iovlen = 1;
    header.msg_control = control > 0 ? start + data + name : nullptr;
    header.msg_controllen = control;
  }
  return sys::sendmmsg(fd, headers_.data(), count, flags);
}

}  // namespace eagain::sys
