#include "addon/binding/environment.h"

#include <cerrno>

#include "addon/sys/descriptor.h"

namespace eagain::binding {

loop::HostServices Environment::services_of(Environment* self) {
  uv_loop_s* uv_loop = nullptr;
  if (napi_get_uv_event_loop(self->env_, &uv_loop) != napi_ok) uv_loop = nullptr;
  return {self, uv_loop,
          [](void* context) { static_cast<Environment*>(context)->reactor_.turn(); }};
}

Environment::Environment(napi_env env)
    : env_(env),
      reactor_(
          {this, [](void* context, int begin,
                    int end) { return static_cast<Environment*>(context)->deliver(begin, end); }},
          services_of(this)) {}

int Environment::take_in(int fd) {
  const int token = reactor_.is_shut() ? -ESHUTDOWN : reactor_.slots().insert(fd);
  if (token < 0) sys::close(fd);
  return token;
}

// The hook closes every descriptor at once; the thread's environment waits until the host is out of
// libuv's hands (a worker that ended with an open uv_poll_t would crash), and only then is this
// object deleted.
Environment* Environment::create(napi_env env) {
  auto* self = new Environment(env);
  napi_add_async_cleanup_hook(
      env,
      [](napi_async_cleanup_hook_handle, void* data) {
        auto* environment = static_cast<Environment*>(data);
        environment->ending_ = true;
        if (environment->out_of_use_) return environment->end();
        environment->shut();
      },
      self, &self->cleanup_);
  return self;
}

void Environment::shut() {
  if (shut_) return;
  shut_ = true;
  reactor_.shut(
      [](void* context) {
        auto* self = static_cast<Environment*>(context);
        self->out_of_use_ = true;
        if (self->ending_) self->end();
      },
      this);
}

void Environment::end() {
  if (anchor_ != nullptr) anchor_->environment = nullptr;
  for (napi_ref reference : {dispatch_, resource_, slabs_}) {
    if (reference != nullptr) napi_delete_reference(env_, reference);
  }
  if (async_ != nullptr) napi_async_destroy(env_, async_);
  napi_remove_async_cleanup_hook(cleanup_);
  delete this;
}

// The dispatch function belongs to the library's modules, and is collected with them and with all
// their sockets where a module registry is thrown away (Jest, one per test file): nobody can close
// them any more.
bool Environment::watch(napi_value dispatch) {
  anchor_ = new Anchor{this};
  const auto collected = [](napi_env, void* data, void*) {
    auto* anchor = static_cast<Anchor*>(data);
    if (anchor->environment != nullptr) {
      anchor->environment->anchor_ = nullptr;
      anchor->environment->shut();
    }
    delete anchor;
  };
  return napi_add_finalizer(env_, dispatch, anchor_, collected, nullptr, nullptr) == napi_ok &&
         napi_create_reference(env_, dispatch, 0, &dispatch_) == napi_ok;
}

void* Environment::allocate(size_t size, napi_typedarray_type type, napi_value* view) {
  void* data = nullptr;
  napi_value buffer;
  if (napi_create_arraybuffer(env_, size, &data, &buffer) != napi_ok) return nullptr;
  const size_t length = type == napi_int32_array ? size / sizeof(int32_t) : size;
  if (napi_create_typedarray(env_, type, length, buffer, 0, view) != napi_ok) return nullptr;
  return data;
}

napi_value Environment::start(napi_value dispatch) {
  if (dispatch_ != nullptr) return nullptr;
  napi_value resource, name, shared, scratch;
  napi_create_object(env_, &resource);
  auto* integers =
      static_cast<int32_t*>(allocate(kSharedSize * sizeof(int32_t), napi_int32_array, &shared));
  auto* bytes = static_cast<uint8_t*>(allocate(kScratchSize, napi_uint8_array, &scratch));
  if (integers == nullptr || bytes == nullptr) return nullptr;
  napi_set_named_property(env_, resource, "shared", shared);
  napi_set_named_property(env_, resource, "scratch", scratch);
  napi_create_string_utf8(env_, "eagain", NAPI_AUTO_LENGTH, &name);
  // The resource keeps both arrays alive, so their memory stays where it is.
  if (napi_create_reference(env_, resource, 1, &resource_) != napi_ok) return nullptr;
  if (napi_async_init(env_, resource, name, &async_) != napi_ok) return nullptr;
  if (!watch(dispatch)) return nullptr;
  shared_ = integers;
  scratch_ = bytes;
  reactor_.lend(shared_ + kBatch);
  return resource;
}

napi_value Environment::slabs() {
  napi_value slabs = nullptr;
  if (shared_ == nullptr) return nullptr;
  if (slabs_ != nullptr) {
    napi_get_reference_value(env_, slabs_, &slabs);
    return slabs;
  }
  napi_value receive, send;
  auto* in =
      static_cast<uint8_t*>(allocate(sys::MessageBatch::kReceiveSize, napi_uint8_array, &receive));
  auto* out =
      static_cast<uint8_t*>(allocate(sys::MessageBatch::kSendSize, napi_uint8_array, &send));
  if (in == nullptr || out == nullptr || napi_create_object(env_, &slabs) != napi_ok)
    return nullptr;
  napi_set_named_property(env_, slabs, "receive", receive);
  napi_set_named_property(env_, slabs, "send", send);
  if (napi_create_reference(env_, slabs, 1, &slabs_) != napi_ok) return nullptr;
  batch_.lend({in, out, shared_ + kFacts});
  return slabs;
}

// One entry into JavaScript. Closing the callback scope runs the microtasks and ticks that the
// handlers left, so awaiting code has done its part of the work when this returns. False once
// JavaScript may not run any more (a terminated worker).
bool Environment::deliver(int begin, int end) {
  napi_handle_scope scope;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return false;
  napi_value dispatch, resource, arguments[2];
  bool alive = napi_get_reference_value(env_, dispatch_, &dispatch) == napi_ok &&
               dispatch != nullptr &&
               napi_get_reference_value(env_, resource_, &resource) == napi_ok &&
               napi_create_int32(env_, begin, &arguments[0]) == napi_ok &&
               napi_create_int32(env_, end, &arguments[1]) == napi_ok;
  if (alive) {
    shared_[kInTurn] = 1;
    const napi_status status =
        napi_make_callback(env_, async_, resource, dispatch, 2, arguments, nullptr);
    shared_[kInTurn] = 0;
    if (status == napi_pending_exception) {
      napi_value error;
      alive = napi_get_and_clear_last_exception(env_, &error) == napi_ok &&
              napi_fatal_exception(env_, error) == napi_ok;
    } else {
      alive = status == napi_ok;
    }
    reactor_.reference(shared_[kReferenced] != 0);
  }
  napi_close_handle_scope(env_, scope);
  return alive;
}

}  // namespace eagain::binding
