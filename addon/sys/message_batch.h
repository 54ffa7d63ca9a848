// Many messages in one system call, over memory that the caller lends for good: recvmmsg(2) into a
// slab, sendmmsg(2) out of one. Small messages stay dense, large ones cost no copy in here.
//
// Receive slab        head: `capacity` places of kHeadStride bytes, the first kHead of each message
//                     tail: kTailSize bytes, shared out evenly: what goes beyond kHead
//                     names: `capacity` places of kNameStride bytes
// Facts, per message  int32 × kFacts: wire length, msg_flags, name length, control length
// Outgoing, each      int32 × kOutgoing: data offset, data length, name offset, name length in the
// slab
#pragma once

#include <sys/socket.h>
#include <sys/time.h>

#include <cstdint>
#include <vector>

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
  static constexpr unsigned kReceiveSize = kNamesOffset + kCapacity * kNameStride;
  static constexpr unsigned kSendSize = 128 << 10;
  static constexpr unsigned kControl = CMSG_SPACE(sizeof(timeval));
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
    unsigned max;   // messages
    unsigned size;  // bytes of each, at most
    // Room for one timestamp: an empty SEQPACKET record and the end of the stream are the same 0
    // bytes, but SO_TIMESTAMP makes the kernel stamp what is a record (af_unix.c,
    // __unix_dgram_recvmsg).
    bool control;
  };

  // How many came, or -errno.
  int receive(int fd, const Wanted& wanted, int flags);
  // The `count` messages that the facts describe: how many went, or the first one's -errno.
  int send(int fd, unsigned count, int flags);

 private:
  Memory memory_;
  std::vector<mmsghdr> headers_;
  std::vector<iovec> vectors_;  // two per message
  alignas(cmsghdr) uint8_t control_[kCapacity][kControl];
};

}  // namespace eagain::sys
