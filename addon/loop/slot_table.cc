#include "addon/loop/slot_table.h"

#include <cerrno>

namespace eagain::loop {
namespace {

constexpr uint32_t kPlaceBits = 20;
constexpr uint32_t kMaxPlaces = 1u << kPlaceBits;
constexpr uint32_t kLastGeneration = (1u << 11) - 1;
// Freed places wait their turn behind this many others: a stale token could name a new tenant only
// after 2,047 × 1,024 sockets, and JavaScript forgets its token at close in the first place.
constexpr uint32_t kQuarantine = 1024;

}  // namespace

int SlotTable::insert(int fd) {
  int place = first_free_;
  const bool full = slots_.size() >= kMaxPlaces;
  if (free_ > kQuarantine || (full && free_ > 0)) {
    first_free_ = slots_[place].next_free;
    if (first_free_ < 0) last_free_ = -1;
    free_--;
  } else {
    if (full) return -ENFILE;
    place = static_cast<int>(slots_.size());
    slots_.emplace_back();
  }
  Slot& slot = slots_[place];
  const uint32_t generation = slot.generation;
  slot = Slot{};
  slot.generation = generation;
  slot.fd = fd;
  slot.open = true;
  return token_of(slot);
}

Slot* SlotTable::find(int token) {
  if (token < 0) return nullptr;
  const uint32_t place = static_cast<uint32_t>(token) & (kMaxPlaces - 1);
  if (place >= slots_.size()) return nullptr;
  Slot& slot = slots_[place];
  return slot.open && slot.generation == static_cast<uint32_t>(token) >> kPlaceBits ? &slot
                                                                                    : nullptr;
}

void SlotTable::release(int token) {
  Slot* slot = find(token);
  if (slot == nullptr) return;
  const int place = static_cast<int>(slot - slots_.data());
  slot->open = false;
  slot->fd = -1;
  slot->next_free = -1;
  slot->generation = slot->generation == kLastGeneration ? 1 : slot->generation + 1;
  if (last_free_ < 0) {
    first_free_ = place;
  } else {
    slots_[last_free_].next_free = place;
  }
  last_free_ = place;
  free_++;
}

int SlotTable::token_of(const Slot& slot) const {
  const auto place = static_cast<uint32_t>(&slot - slots_.data());
  return static_cast<int>(slot.generation << kPlaceBits | place);
}

}  // namespace eagain::loop
