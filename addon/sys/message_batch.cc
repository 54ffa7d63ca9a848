#include "addon/sys/message_batch.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "addon/sys/descriptor.h"
#include "addon/sys/transfer.h"

namespace eagain::sys {

MessageBatch::MessageBatch() : headers_(kCapacity), vectors_(2 * kCapacity) {}

namespace {

// Descriptors that nobody asked for are nobody's: closed, and told as cut.
void close_rights(msghdr* header) {
  for (cmsghdr* part = CMSG_FIRSTHDR(header); part != nullptr; part = CMSG_NXTHDR(header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      sys::close(fd);
    }
    header->msg_flags |= MSG_CTRUNC;
  }
}

}  // namespace

int MessageBatch::receive(int fd, const Wanted& wanted, int flags) {
  const auto [max, size, control] = wanted;
  if (memory_.receive == nullptr || max == 0 || size > kHead + kTailSize) return -EINVAL;
  const unsigned tail = size > kHead ? size - kHead : 0;
  unsigned count = std::min(max, kCapacity);
  if (tail > 0) count = std::min(count, kTailSize / tail);
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
    if (control) {
      header.msg_control = control_[i];
      header.msg_controllen = kControl;
    }
  }
  const int received = sys::recvmmsg(fd, headers_.data(), count, flags);
  for (int i = 0; i < received; i++) {
    if (control) close_rights(&headers_[i].msg_hdr);
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
    const auto data = static_cast<uint32_t>(facts[0]), length = static_cast<uint32_t>(facts[1]);
    const auto name = static_cast<uint32_t>(facts[2]),
               name_length = static_cast<uint32_t>(facts[3]);
    if (data > kSendSize || length > kSendSize - data) return -EFAULT;
    if (name > kSendSize || name_length > kSendSize - name) return -EFAULT;
    vectors_[2 * i] = {memory_.send + data, length};
    msghdr& header = headers_[i].msg_hdr;
    header = {};
    header.msg_name = name_length > 0 ? memory_.send + name : nullptr;
    header.msg_namelen = name_length;
    header.msg_iov = &vectors_[2 * i];
    header.msg_iovlen = 1;
  }
  return sys::sendmmsg(fd, headers_.data(), count, flags);
}

}  // namespace eagain::sys
