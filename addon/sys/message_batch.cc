#include "addon/sys/message_batch.h"

#include <algorithm>
#include <cerrno>

#include "addon/sys/transfer.h"

namespace eagain::sys {

MessageBatch::MessageBatch()
    : incoming_(kCapacity), outgoing_(kCapacity), rooms_(2 * kCapacity), pieces_(kCapacity) {}

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
  prepare(count, size, control);
  const int received = sys::recvmmsg(fd, incoming_.data(), count, flags);
  for (int i = 0; i < received; i++) {
    msghdr& header = incoming_[i].msg_hdr;
    if (taker.take != nullptr) take_descriptors(&header, taker);
    int32_t* facts = memory_.facts + i * kFacts;
    facts[0] = static_cast<int32_t>(incoming_[i].msg_len);
    // recvmsg(2) hands this one of our own flags back.
    facts[1] = header.msg_flags & ~MSG_CMSG_CLOEXEC;
    facts[2] = static_cast<int32_t>(header.msg_namelen);
    facts[3] = static_cast<int32_t>(header.msg_controllen);
    header.msg_namelen = kNameStride;
    header.msg_controllen = control;
  }
  return received;
}

// The first `count` headers, for messages of `size` bytes with `control` bytes beside them. The
// kernel changes those of the messages that came, which are mended there, and no others: most calls
// bring a few, and to lay out all 64 anew would cost them more than the rest of the way up.
void MessageBatch::prepare(unsigned count, unsigned size, unsigned control) {
  if (size != prepared_size_ || control != prepared_control_) prepared_ = 0;
  prepared_size_ = size;
  prepared_control_ = control;
  const unsigned tail = size > kHead ? size - kHead : 0, stride = aligned(control);
  for (; prepared_ < count; prepared_++) {
    const unsigned i = prepared_;
    iovec* room = &rooms_[2 * i];
    room[0] = {memory_.receive + i * kHeadStride, std::min(size, kHead)};
    room[1] = {memory_.receive + kTailOffset + i * tail, tail};
    msghdr& header = incoming_[i].msg_hdr;
    header = {};
    header.msg_name = memory_.receive + kNamesOffset + i * kNameStride;
    header.msg_namelen = kNameStride;
    header.msg_iov = room;
    header.msg_iovlen = tail > 0 ? 2 : 1;
    header.msg_control = control > 0 ? memory_.receive + kControlOffset + i * stride : nullptr;
    header.msg_controllen = control;
  }
}

int MessageBatch::send(int fd, unsigned count, int flags) {
  if (memory_.send == nullptr || count == 0 || count > kCapacity) return -EINVAL;
  for (unsigned i = 0; i < count; i++) {
    const int32_t* facts = memory_.facts + i * kOutgoing;
    const auto at = static_cast<uint32_t>(facts[0]), data = static_cast<uint32_t>(facts[1]),
               name = static_cast<uint32_t>(facts[2]), control = static_cast<uint32_t>(facts[3]);
    if (uint64_t{at} + data + name + control > kSendSize) return -EFAULT;
    uint8_t* start = memory_.send + at;
    pieces_[i] = {start, data};
    msghdr& header = outgoing_[i].msg_hdr;
    header = {};
    header.msg_name = name > 0 ? start + data : nullptr;
    header.msg_namelen = name;
    header.msg_iov = &pieces_[i];
    header.msg_iovlen = 1;
    header.msg_control = control > 0 ? start + data + name : nullptr;
    header.msg_controllen = control;
  }
  return sys::sendmmsg(fd, outgoing_.data(), count, flags);
}

}  // namespace eagain::sys
