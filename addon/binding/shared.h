// The one Int32Array that both sides of the wall read and write; lib/native/binding.ts names its
// places again, and its test compares the two.
//
//   index            what
//   kReferenced      1 while a referenced operation waits (JavaScript writes)
//   kInTurn          1 while a batch is being delivered (the core writes)
//   kMessageFlags    msg_flags of the last recv or recvmsg
//   kNameLength      bytes of address in the scratch after the last call that yields one
//   kControlLength   bytes of control data in the slab after the last recvmsg
//   kFacts …         facts of a message batch, see sys/message_batch.h
//   kBatch …         {token, readiness} pairs
#pragma once

#include "addon/loop/reactor.h"
#include "addon/sys/message_batch.h"

namespace eagain::binding {

enum Shared {
  kReferenced = 0,
  kInTurn = 1,
  kMessageFlags = 2,
  kNameLength = 3,
  kControlLength = 4,
  kFacts = 8,
  kBatch = kFacts + sys::MessageBatch::kCapacity * sys::MessageBatch::kFacts,
  kSharedSize = kBatch + 2 * loop::Reactor::kMaxEvents,
};

constexpr int kScratchSize = sys::MessageBatch::kNameStride;

}  // namespace eagain::binding
