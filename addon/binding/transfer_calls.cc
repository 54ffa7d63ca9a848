// send and recv with their kin for JavaScript. The hot path: no object is made, nothing is thrown.
#include <limits.h>
#include <sys/socket.h>

#include "addon/binding/arguments.h"
#include "addon/sys/control.h"
#include "addon/sys/transfer.h"

namespace eagain::binding {
namespace {

// Argument i is an array of Uint8Arrays; at most kMost of them, as many as one call may take. Made
// before any other argument is looked at: an array's getters are JavaScript, and may close the
// socket.
class Vector {
 public:
  static constexpr uint32_t kMost = IOV_MAX;

  Vector(Arguments& arguments, size_t i) {
    const napi_env env = arguments.env();
    bool is_array = false;
    uint32_t length = 0;
    napi_is_array(env, arguments.value(i), &is_array);
    if (!is_array || napi_get_array_length(env, arguments.value(i), &length) != napi_ok ||
        length > kMost) {
      valid_ = false;
      return;
    }
    // First all elements, then their memory: a getter could detach what was looked up before it.
    napi_value elements[kMost];
    for (uint32_t k = 0; k < length; k++) {
      if (napi_get_element(env, arguments.value(i), k, &elements[k]) != napi_ok) {
        napi_value thrown;
        napi_get_and_clear_last_exception(env, &thrown);
        valid_ = false;
        return;
      }
    }
    for (; count_ < length && valid_; count_++) {
      const Bytes bytes = arguments.bytes(elements[count_]);
      valid_ = arguments.valid();
      vectors_[count_] = {bytes.data, bytes.length};
    }
  }

  bool valid() const { return valid_; }
  void lay_into(msghdr* header) {
    header->msg_iov = vectors_;
    header->msg_iovlen = count_;
  }

 private:
  bool valid_ = true;
  uint32_t count_ = 0;
  iovec vectors_[kMost];
};

int send(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const Bytes data = arguments.slice(1);
  const int flags = arguments.integer(4);
  return arguments.valid() ? sys::send(slot->fd, data.data, data.length, flags) : 0;
}

// sendto(token, data, offset, length, flags, addressLength): 0 bytes of address are none.
int sendto(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const Bytes data = arguments.slice(1);
  const int flags = arguments.integer(4);
  const socklen_t length = arguments.address_length(5);
  if (!arguments.valid()) return 0;
  const sockaddr* to = length > 0 ? arguments.address() : nullptr;
  return sys::sendto(slot->fd, data.data, data.length, flags, to, length);
}

// sendmsg(token, vector, flags, addressLength, control?): 0 bytes of address are none.
int sendmsg(Arguments& arguments) {
  Vector vector(arguments, 1);
  const loop::Slot* slot = arguments.slot(0);
  const int flags = arguments.integer(2);
  const socklen_t length = arguments.address_length(3);
  const Bytes control = arguments.given(4) ? arguments.bytes(4) : Bytes{};
  if (!arguments.valid()) return 0;
  if (!vector.valid()) return -EINVAL;
  msghdr header{};
  vector.lay_into(&header);
  header.msg_control = control.length > 0 ? control.data : nullptr;
  header.msg_controllen = control.length;
  header.msg_name = length > 0 ? arguments.address() : nullptr;
  header.msg_namelen = length;
  return sys::sendmsg(slot->fd, &header, flags);
}

// Every descriptor that comes is a slot's before JavaScript runs, and its token stands in its
// place: so it is closed with all others where this thread ends, whatever becomes of the message.
sys::Taker taker(Arguments& arguments, const loop::Slot& slot, bool wanted) {
  if (slot.domain != AF_UNIX) return {};
  if (!wanted) return sys::closing_taker();
  return {
      [](void* environment, int fd) { return static_cast<Environment*>(environment)->take_in(fd); },
      &arguments.environment()};
}

// MSG_TRUNC on the way in makes the result the length on the wire even where the message was cut
// (recv(2): UDP, raw, netlink, packet and Unix messages); TCP would throw the bytes away.
// MSG_CMSG_CLOEXEC: no descriptor outlives an exec. Only Unix sockets bring any, and AF_PACKET says
// EINVAL to the flag (packet_recvmsg).
int message_flags(const loop::Slot& slot) {
  const int wire_length = slot.type == SOCK_STREAM ? 0 : static_cast<int>(MSG_TRUNC);
  return wire_length | (slot.domain == AF_UNIX ? static_cast<int>(MSG_CMSG_CLOEXEC) : 0);
}

// `slot` may move when a descriptor comes in: not looked at after the call.
int receive_message(Arguments& arguments, const loop::Slot& slot, msghdr* header, int flags,
                    bool wanted) {
  const sys::Taker rights = taker(arguments, slot, wanted);
  const int received = sys::recvmsg(slot.fd, header, flags | message_flags(slot));
  if (received >= 0 && rights.take != nullptr) sys::take_descriptors(header, rights);
  int32_t* shared = arguments.environment().shared();
  shared[kMessageFlags] = received < 0 ? 0 : header->msg_flags & ~MSG_CMSG_CLOEXEC;
  shared[kNameLength] = received < 0 ? 0 : static_cast<int32_t>(header->msg_namelen);
  shared[kControlLength] = received < 0 ? 0 : static_cast<int32_t>(header->msg_controllen);
  return received;
}

// A short read of a Unix stream may end at a mark (rights, other credentials) with more behind it,
// and only msg_flags tells: without room for control data the kernel says MSG_CTRUNC there.
int recv(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const Bytes data = arguments.slice(1);
  const int flags = arguments.integer(4);
  int32_t* shared = arguments.environment().shared();
  if (!arguments.valid() || shared == nullptr) return -EINVAL;
  if (slot->domain != AF_UNIX || slot->type != SOCK_STREAM) {
    shared[kMessageFlags] = 0;
    return sys::recv(slot->fd, data.data, data.length, flags);
  }
  iovec vector{data.data, data.length};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  return receive_message(arguments, *slot, &header, flags, false);
}

// recvmsg(token, vector, flags, control?, wanted?): the length on the wire; flags, the sender's
// address and the control data are left behind. `wanted`: whether anybody takes descriptors.
int recvmsg(Arguments& arguments) {
  Vector vector(arguments, 1);
  const loop::Slot* slot = arguments.slot(0);
  const int flags = arguments.integer(2);
  const int control = arguments.given(3) ? arguments.integer(3) : 0;
  const bool wanted = arguments.given(4) && arguments.integer(4) != 0;
  if (!arguments.valid() || arguments.environment().shared() == nullptr) return -EINVAL;
  if (!vector.valid() || control < 0) return -EINVAL;
  msghdr header{};
  vector.lay_into(&header);
  header.msg_name = arguments.address();
  header.msg_namelen = kScratchSize;
  if (control > 0) {
    header.msg_control = arguments.environment().batch().control(static_cast<unsigned>(control));
    header.msg_controllen = static_cast<size_t>(control);
    if (header.msg_control == nullptr) return -EINVAL;
  }
  return receive_message(arguments, *slot, &header, flags, wanted);
}

// recvmmsg(token, max, size, flags, control?, wanted?): how many came; the rest is in the slab.
int recvmmsg(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const int max = arguments.integer(1), size = arguments.integer(2), flags = arguments.integer(3);
  const int control = arguments.given(4) ? arguments.integer(4) : 0;
  const bool wanted = arguments.given(5) && arguments.integer(5) != 0;
  if (!arguments.valid()) return 0;
  if (max <= 0 || size < 0 || control < 0) return -EINVAL;
  return arguments.environment().batch().receive(
      slot->fd,
      {static_cast<unsigned>(max), static_cast<unsigned>(size), static_cast<unsigned>(control),
       control > 0 ? taker(arguments, *slot, wanted) : sys::Taker{}},
      flags | message_flags(*slot));
}

int sendmmsg(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  const int count = arguments.integer(1), flags = arguments.integer(2);
  if (!arguments.valid()) return 0;
  if (count <= 0) return -EINVAL;
  return arguments.environment().batch().send(slot->fd, static_cast<unsigned>(count), flags);
}

const Export kCalls[] = {
    {"send", entry<send>},         {"sendto", entry<sendto>},   {"sendmsg", entry<sendmsg>},
    {"recv", entry<recv>},         {"recvmsg", entry<recvmsg>}, {"recvmmsg", entry<recvmmsg>},
    {"sendmmsg", entry<sendmmsg>},
};

}  // namespace

Exports transfer_calls() { return {kCalls, sizeof(kCalls) / sizeof(*kCalls)}; }

}  // namespace eagain::binding
