// One uv_poll_t on the poller's own descriptor: the runtime's loop wakes when any socket is ready.
// libuv's functions are looked up at run time, so that this binary loads where there are none.
#include <dlfcn.h>
#include <uv.h>

#include <cerrno>

#include "addon/loop/host.h"

namespace eagain::loop {
namespace {

struct Libuv {
  decltype(&uv_poll_init) poll_init;
  decltype(&uv_poll_start) poll_start;
  decltype(&uv_close) close;
  decltype(&uv_ref) ref;
  decltype(&uv_unref) unref;

  template <typename Function>
  static bool find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
    return function != nullptr;
  }

  bool find_all() {
    return find(poll_init, "uv_poll_init") && find(poll_start, "uv_poll_start") &&
           find(close, "uv_close") && find(ref, "uv_ref") && find(unref, "uv_unref");
  }
};

class UvHost final : public Host {
 public:
  int open(const HostServices& services, Poller& poller) override {
    if (services.uv_loop == nullptr || !uv_.find_all()) return -ENOSYS;
    services_ = services;
    // libuv reports failures as -errno on every Unix.
    const int created =
        uv_.poll_init(static_cast<uv_loop_t*>(services.uv_loop), &handle_, poller.descriptor());
    if (created < 0) return created;
    handle_.data = this;
    opened_ = true;
    uv_.unref(reinterpret_cast<uv_handle_t*>(&handle_));
    return uv_.poll_start(&handle_, UV_READABLE, [](uv_poll_t* handle, int, int) {
      auto* self = static_cast<UvHost*>(handle->data);
      self->services_.turn(self->services_.context);
    });
  }

  void reference(bool alive) override {
    auto* handle = reinterpret_cast<uv_handle_t*>(&handle_);
    alive ? uv_.ref(handle) : uv_.unref(handle);
  }

  void close(void (*closed)(void*), void* context) override {
    if (!opened_) return closed(context);
    opened_ = false;
    closed_ = closed;
    closed_context_ = context;
    uv_.close(reinterpret_cast<uv_handle_t*>(&handle_), [](uv_handle_t* handle) {
      auto* self = static_cast<UvHost*>(handle->data);
      self->closed_(self->closed_context_);
    });
  }

 private:
  Libuv uv_{};
  HostServices services_{};
  uv_poll_t handle_{};
  bool opened_ = false;
  void (*closed_)(void*) = nullptr;
  void* closed_context_ = nullptr;
};

}  // namespace

std::unique_ptr<Host> make_uv_host() { return std::make_unique<UvHost>(); }

}  // namespace eagain::loop
