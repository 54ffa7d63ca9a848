// What JavaScript passed, as numbers and bytes. A wrong type is remembered, not thrown: the call
// answers -EINVAL. Memory is looked up at the moment of the call, so a buffer that was detached,
// transferred or shrunk while an operation waited is -EFAULT, as it is to the kernel.
#pragma once

#include <node_api.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "addon/binding/environment.h"

namespace eagain::binding {

struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};

class Arguments {
 public:
  static constexpr size_t kMost = 8;

  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = kMost;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, values_, nullptr, &data);
    environment_ = static_cast<Environment*>(data);
  }

  napi_env env() const { return env_; }
  Environment& environment() { return *environment_; }
  napi_value value(size_t i) const { return values_[i]; }
  bool valid() const { return error_ == 0; }
  int error() const { return error_; }
  void refuse(int error) { error_ = error; }

  // Whether argument i, one that may be left out, is there.
  bool given(size_t i) const {
    napi_valuetype type;
    return napi_typeof(env_, values_[i], &type) == napi_ok && type != napi_undefined;
  }

  int integer(size_t i) {
    int32_t result = 0;
    if (napi_get_value_int32(env_, values_[i], &result) != napi_ok) error_ = -EINVAL;
    return result;
  }

  // A whole number beyond an int's: a file's offset.
  int64_t large(size_t i) {
    int64_t result = 0;
    if (napi_get_value_int64(env_, values_[i], &result) != napi_ok) error_ = -EINVAL;
    return result;
  }

  // The open slot that argument i, a token, names; nullptr (and -EBADF) for every other one.
  loop::Slot* slot(size_t i) {
    const int token = integer(i);
    loop::Slot* slot = valid() ? environment_->reactor().slots().find(token) : nullptr;
    if (slot == nullptr && valid()) error_ = -EBADF;
    return slot;
  }

  Bytes bytes(napi_value value) {
    napi_typedarray_type type;
    size_t length = 0;
    void* data = nullptr;
    if (napi_get_typedarray_info(env_, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array) {
      error_ = -EINVAL;
      return {};
    }
    return {static_cast<uint8_t*>(data), length};
  }

  Bytes bytes(size_t i) { return bytes(values_[i]); }

  // Argument i is a Uint8Array, the two after it an offset and a length within it.
  Bytes slice(size_t i) {
    const Bytes whole = bytes(i);
    int64_t offset = 0, length = 0;
    if (napi_get_value_int64(env_, values_[i + 1], &offset) != napi_ok ||
        napi_get_value_int64(env_, values_[i + 2], &length) != napi_ok) {
      error_ = -EINVAL;
    }
    if (!valid()) return {};
    const auto size = static_cast<int64_t>(whole.length);
    if (offset < 0 || length < 0 || offset > size || length > size - offset) {
      error_ = -EFAULT;
      return {};
    }
    return {whole.data + offset, static_cast<size_t>(length)};
  }

  // Argument i is how many bytes of address JavaScript has laid into the scratch.
  socklen_t address_length(size_t i) {
    const int length = integer(i);
    if (length < 0 || length > kScratchSize || environment_->scratch() == nullptr) error_ = -EINVAL;
    return valid() ? static_cast<socklen_t>(length) : 0;
  }

  sockaddr* address() { return reinterpret_cast<sockaddr*>(environment_->scratch()); }

 private:
  napi_env env_;
  Environment* environment_ = nullptr;
  napi_value values_[kMost];
  int error_ = 0;
};

// A function of the wall: `call` does the work and answers with an int.
template <int (*call)(Arguments&)>
napi_value entry(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  int result = call(arguments);
  if (!arguments.valid()) result = arguments.error();
  napi_value value = nullptr;
  napi_create_int32(env, result, &value);
  return value;
}

struct Export {
  const char* name;
  napi_callback callback;
};

struct Exports {
  const Export* entries;
  size_t size;
};

Exports reactor_calls();
Exports socket_calls();
Exports transfer_calls();
Exports address_calls();
Exports descriptor_calls();
Exports file_calls();
Exports names_calls();

}  // namespace eagain::binding
