// The door of the addon: every call and every table under its name. Opens nothing.
#include <napi.h>

#include "addon/binding/arguments.h"
#include "addon/binding/environment.h"
#include "addon/sys/table.h"

namespace eagain::binding {
namespace {

Napi::Object object_of(Napi::Env env, const sys::Table& table) {
  auto object = Napi::Object::New(env);
  for (size_t i = 0; i < table.size; i++) object.Set(table.entries[i].name, table.entries[i].value);
  return object;
}

// Node-API's own functions rather than node-addon-api's: a call costs a third (66 against 149 ns).
void define(Napi::Env env, Napi::Object exports, const Exports& calls, Environment* environment) {
  for (size_t i = 0; i < calls.size; i++) {
    napi_value function = nullptr;
    napi_create_function(env, calls.entries[i].name, NAPI_AUTO_LENGTH, calls.entries[i].callback,
                         environment, &function);
    exports.Set(calls.entries[i].name, function);
  }
}

Napi::Object batch_layout(Napi::Env env) {
  using Batch = sys::MessageBatch;
  const sys::Entry entries[] = {
      {"capacity", Batch::kCapacity},           {"head", Batch::kHead},
      {"headStride", Batch::kHeadStride},       {"nameStride", Batch::kNameStride},
      {"tailOffset", Batch::kTailOffset},       {"tailSize", Batch::kTailSize},
      {"namesOffset", Batch::kNamesOffset},     {"sendSize", Batch::kSendSize},
      {"controlOffset", Batch::kControlOffset}, {"controlStride", Batch::kControlStride},
      {"controlSize", Batch::kControlSize},
  };
  return object_of(env, {entries, sizeof(entries) / sizeof(*entries)});
}

// A binding of its own for each loading of the library: Jest hands one addon to all its module
// registries.
napi_value create(napi_env raw, napi_callback_info) {
  const Napi::Env env(raw);
  auto binding = Napi::Object::New(env);
  auto* environment = Environment::create(env);
  for (const Exports& calls : {reactor_calls(), socket_calls(), transfer_calls(), address_calls(),
                               descriptor_calls(), file_calls(), names_calls()}) {
    define(env, binding, calls, environment);
  }
  binding.Set("constants", object_of(env, sys::constants()));
  binding.Set("layout", object_of(env, sys::layout()));
  binding.Set("batchLayout", batch_layout(env));
  return binding;
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  napi_value function = nullptr;
  napi_create_function(env, "create", NAPI_AUTO_LENGTH, create, nullptr, &function);
  exports.Set("create", function);
  return exports;
}

NODE_API_MODULE(eagain, initialize)

}  // namespace
}  // namespace eagain::binding
