// All that lives as long as one loading of the library (a module registry of a thread): its
// reactor, the memory it shares with JavaScript, and how both end. There are no globals.
#pragma once

#include <node_api.h>

#include <cstdint>

#include "addon/binding/shared.h"
#include "addon/loop/reactor.h"
#include "addon/sys/message_batch.h"
#include "addon/sys/option.h"

namespace eagain::binding {

class Environment {
 public:
  // Lives until the thread's environment ends; its descriptors until its dispatch function is
  // collected.
  static Environment* create(napi_env env);

  loop::Reactor& reactor() { return reactor_; }
  sys::MessageBatch& batch() { return batch_; }
  sys::FencedMemory& option_memory() { return option_memory_; }
  int32_t* shared() { return shared_; }
  uint8_t* scratch() { return scratch_; }

  // A token for a descriptor that has just been made or received, or -errno: one that no slot took
  // in would be nobody's, and is closed.
  int take_in(int fd);

  // {shared, scratch}, and from now on `dispatch(begin, end)` for every batch. Once; undefined
  // after that.
  napi_value start(napi_value dispatch);
  // {receive, send}: the slabs of the message batch, made on the first demand.
  napi_value slabs();

 private:
  // What a finalizer holds that may run after this object is gone.
  struct Anchor {
    Environment* environment;
  };

  explicit Environment(napi_env env);
  bool deliver(int begin, int end);
  void shut();
  void end();
  bool watch(napi_value dispatch);
  // Memory that JavaScript owns and both sides use: never handed to users, so never detached.
  void* allocate(size_t size, napi_typedarray_type type, napi_value* view);
  static loop::HostServices services_of(Environment* self);

  napi_env env_;
  loop::Reactor reactor_;
  sys::MessageBatch batch_;
  sys::FencedMemory option_memory_;
  int32_t* shared_ = nullptr;
  uint8_t* scratch_ = nullptr;
  Anchor* anchor_ = nullptr;
  napi_ref dispatch_ = nullptr;  // weak
  napi_ref resource_ = nullptr;
  napi_ref slabs_ = nullptr;
  napi_async_context async_ = nullptr;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  bool shut_ = false;
  bool out_of_use_ = false;
  bool ending_ = false;
};

}  // namespace eagain::binding
