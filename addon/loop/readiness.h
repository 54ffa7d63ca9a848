// Interest (what is asked of a descriptor) and readiness (what it answered) as one set of bits, the
// same on both sides of the wall: lib/native/binding.ts names them again.
#pragma once

#include <cstdint>

namespace eagain::loop {

enum Readiness : uint32_t {
  kRead = 1,
  kWrite = 2,
  kPriority = 4,
  kError = 8,
  kHangup = 16,
  kPeerClosed = 32,
  kDisarmed = 64,  // the poller reports this descriptor no more until it is armed again
};

constexpr uint32_t kEveryInterest = kRead | kWrite | kPriority;

}  // namespace eagain::loop
