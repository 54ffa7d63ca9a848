#include "addon/sys/option.h"

#include <linux/filter.h>
#include <linux/mptcp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "addon/sys/constants_newer.inc"
#include "addon/sys/socket.h"

namespace eagain::sys {
namespace {

// Options whose value holds addresses that the kernel writes to: where they lie in it. JavaScript
// has no address to give, so any but the null pointer is -EFAULT.
//
//   tcp_zerocopy_receive   0 address   24 copybuf_address   40 msg_control
//   mptcp_full_info                    24 subflow_info      32 tcp_info
struct Pointers {
  int level, name;
  size_t offsets[3];
};
const Pointers kPointers[] = {
    {IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, {0, 24, 40}},
    {SOL_MPTCP, MPTCP_FULL_INFO, {24, 32, 32}},
};

bool points_somewhere(int level, int name, const void* value, size_t size) {
  for (const Pointers& known : kPointers) {
    if (known.level != level || known.name != name) continue;
    for (const size_t offset : known.offsets) {
      uint64_t pointer = 0;
      if (offset >= size) continue;
      const size_t there = size - offset < sizeof(pointer) ? size - offset : sizeof(pointer);
      memcpy(&pointer, static_cast<const uint8_t*>(value) + offset, there);
      if (pointer != 0) return true;
    }
  }
  return false;
}

// The length of a filter is counted in instructions, both ways (sk_get_filter).
size_t unit_of(int level, int name) {
  return level == SOL_SOCKET && name == SO_GET_FILTER ? sizeof(sock_filter) : 1;
}

}  // namespace

FencedMemory::~FencedMemory() {
  if (base_ != nullptr) munmap(base_, total_);
}

uint8_t* FencedMemory::last(size_t size) {
  if ((base_ == nullptr || size > room_) && !grow(size)) return nullptr;
  return base_ + room_ - size;
}

bool FencedMemory::grow(size_t size) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t room = (size / page + 1) * page;
  const size_t total = 2 * room + 16 * page;
  void* base = mmap(nullptr, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return false;
  if (mprotect(base, room, PROT_READ | PROT_WRITE) != 0) {
    munmap(base, total);
    return false;
  }
  if (base_ != nullptr) munmap(base_, total_);
  base_ = static_cast<uint8_t*>(base);
  room_ = room;
  total_ = total;
  return true;
}

int get_option(FencedMemory& memory, int fd, int level, int name, void* value, size_t size) {
  if (points_somewhere(level, name, value, size)) return -EFAULT;
  uint8_t* fenced = memory.last(size);
  if (fenced == nullptr) return -ENOMEM;
  if (size > 0) memcpy(fenced, value, size);
  const size_t unit = unit_of(level, name);
  auto length = static_cast<socklen_t>(size / unit);
  const int result = sys::getsockopt(fd, level, name, fenced, &length);
  if (result < 0) return result;
  if (size > 0) memcpy(value, fenced, size);
  return static_cast<int>(length * unit);
}

int set_program(int fd, int level, int name, const void* instructions, size_t size) {
  const size_t count = size / sizeof(sock_filter);
  if (count * sizeof(sock_filter) != size || count > BPF_MAXINSNS) return -EINVAL;
  sock_fprog program{};
  program.len = static_cast<unsigned short>(count);
  program.filter = static_cast<sock_filter*>(const_cast<void*>(instructions));
  return sys::setsockopt(fd, level, name, &program, sizeof(program));
}

}  // namespace eagain::sys
