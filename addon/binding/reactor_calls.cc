// The reactor's verbs for JavaScript: start, arm, disarm, reference; and a slot's end.
#include "addon/binding/arguments.h"
#include "addon/sys/descriptor.h"

namespace eagain::binding {
namespace {

napi_value start(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  napi_valuetype type;
  if (napi_typeof(env, arguments.value(0), &type) != napi_ok || type != napi_function)
    return nullptr;
  return arguments.environment().start(arguments.value(0));
}

napi_value slabs(napi_env env, napi_callback_info info) {
  return Arguments(env, info).environment().slabs();
}

int arm(Arguments& arguments) {
  const int token = arguments.integer(0);
  const int interest = arguments.integer(1);
  if (!arguments.valid()) return 0;
  return arguments.environment().reactor().arm(token, static_cast<uint32_t>(interest));
}

int disarm(Arguments& arguments) {
  const int token = arguments.integer(0);
  return arguments.valid() ? arguments.environment().reactor().disarm(token) : 0;
}

int reference(Arguments& arguments) {
  const int alive = arguments.integer(0);
  if (arguments.valid()) arguments.environment().reactor().reference(alive != 0);
  return 0;
}

int close(Arguments& arguments) {
  const int token = arguments.integer(0);
  return arguments.valid() ? arguments.environment().reactor().close(token) : 0;
}

int detach(Arguments& arguments) {
  const loop::Slot* slot = arguments.slot(0);
  if (slot == nullptr) return 0;
  if (slot->restore_blocking) sys::set_blocking(slot->fd, true);
  return arguments.environment().reactor().release(arguments.integer(0));
}

const Export kCalls[] = {
    {"start", start},
    {"slabs", slabs},
    {"arm", entry<arm>},
    {"disarm", entry<disarm>},
    {"reference", entry<reference>},
    {"close", entry<close>},
    {"detach", entry<detach>},
};

}  // namespace

Exports reactor_calls() { return {kCalls, sizeof(kCalls) / sizeof(*kCalls)}; }

}  // namespace eagain::binding
