// Many messages in one system call, over memory that the caller lends for good: recvmmsg(2) into a
// slab, sendmmsg(2) out of one. Small messages stay dense, large ones cost no copy in here.
//
// Receive slab        head: `capacity` places of kHeadStride bytes, the first kHead of each message
//                     tail: kTailSize bytes, shared out evenly: what goes beyond kHead
//                     names: `capacity` places of kNameStride bytes
//                     control: kControlSize bytes, shared out in places as large as was asked for
// Facts, per message  int32 × kFacts: wire length, msg_flags, name length, control length
// Outgoing, each      int32 × kOutgoing: offset in the slab, and the lengths of the data, the name
// and
//                     the control data that lie there one behind the other
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <vector>

#include "addon/sys/control.h"

namespace eagain::sys {

class MessageBatch {
 public:
  static constexpr unsigned kCapacity = 64;
  static constexpr unsigned kHead = 2048;
  // 64 bytes beyond a power of two: with 2048 alone all first lines would share two sets of the L1
  // cache.
  static constexpr unsigned kHeadStride = kHead + 64;
  static constexpr unsigned kNameStride = sizeof(sockaddr_storage);
  static constexpr unsigned kTailOffset = kCapacity * kHeadStride;
  static constexpr unsigned kTailSize = 4 << 20;
  static constexpr unsigned kNamesOffset = kTailOffset + kTailSize;
  static constexpr unsigned kControlOffset = kNamesOffset + kCapacity * kNameStride;
  // A place has room for the most that one message brings: 253 descriptors take 1032 bytes.
  static constexpr unsigned kControlStride = 2048 + 64;
  static constexpr unsigned kControlSize = kCapacity * kControlStride;
  static constexpr unsigned kReceiveSize = kControlOffset + kControlSize;
  static constexpr unsigned kSendSize = 128 << 10;
  static constexpr unsigned kFacts = 4;
  static constexpr unsigned kOutgoing = 4;

  struct Memory {
    uint8_t* receive = nullptr;  // kReceiveSize
    uint8_t* send = nullptr;     // kSendSize
    int32_t* facts = nullptr;    // kCapacity × max(kFacts, kOutgoing)
  };

  MessageBatch();
  void lend(const Memory& memory) { memory_ = memory; }

  struct Wanted {
    unsigned max;      // messages
    unsigned size;     // bytes of each, at most
    unsigned control;  // bytes of control data of each, at most
    Taker taker;       // of the descriptors in it; without one there can be none
  };

  // How many came, or -errno.
  int receive(int fd, const Wanted& wanted, int flags);
  // The `count` messages that the facts describe: how many went, or the first one's -errno.
  int send(int fd, unsigned count, int flags);
  // The same memory for one message that lies elsewhere: nullptr where `size` bytes are too many.
  void* control(unsigned size);

 private:
  void prepare(unsigned count, unsigned size, unsigned control);

  Memory memory_;
  std::vector<mmsghdr> incoming_;
  std::vector<mmsghdr> outgoing_;
  std::vector<iovec> rooms_;   // two per message
  std::vector<iovec> pieces_;  // one per message
  // How many of `incoming_` are laid out, and for what.
  unsigned prepared_ = 0;
  unsigned prepared_size_ = 0;
  unsigned prepared_control_ = 0;
};

}  // namespace eagain::sys
