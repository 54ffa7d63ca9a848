// <netdb.h> for JavaScript. What may wait is done by a thread of the runtime's pool, and answered
// by one call of `done(status, errno, fields)` on JavaScript's own: fields as addon/sys/fields.h
// lays them, status 0 or an EAI_ number.
#include <netdb.h>
#include <node_api.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <string>
#include <utility>

#include "addon/binding/arguments.h"
#include "addon/sys/interfaces.h"
#include "addon/sys/netdb.h"

namespace eagain::binding {
namespace {

// The C library's own limit of a name, <netdb.h>.
constexpr size_t kLongestText = NI_MAXHOST - 1;

using Question = std::function<sys::Answer()>;

// How many look-ups have a thread of the pool, or are next for one: the pool is the process's, and
// so is this count.
std::atomic<int> running{0};

// One look-up, from the call to its answer. The runtime's: an environment that ends waits for those
// that a thread is at work on, and cancels the others, and either way calls `complete`.
class LookUp {
 public:
  // 0, or -errno where it could not be begun.
  static int begin(napi_env env, napi_value done, Question question) {
    auto* self = new LookUp(std::move(question));
    napi_value name;
    running++;
    if (napi_create_string_utf8(env, "eagain:names", NAPI_AUTO_LENGTH, &name) == napi_ok &&
        napi_create_reference(env, done, 1, &self->done_) == napi_ok &&
        napi_create_async_work(env, nullptr, name, execute, complete, self, &self->work_) ==
            napi_ok &&
        napi_queue_async_work(env, self->work_) == napi_ok) {
      return 0;
    }
    running--;
    self->end(env);
    return -ENOMEM;
  }

 private:
  explicit LookUp(Question question) : question_(std::move(question)) {}

  static void execute(napi_env, void* data) {
    auto* self = static_cast<LookUp*>(data);
    self->answer_ = self->question_();
  }

  // JavaScript may not run any more, in which case every step says so and nobody waits for it.
  static void complete(napi_env env, napi_status status, void* data) {
    auto* self = static_cast<LookUp*>(data);
    running--;
    if (status == napi_ok) self->tell(env);
    self->end(env);
  }

  void tell(napi_env env) {
    napi_value done, nobody, arguments[3] = {};
    const std::string& fields = answer_.fields.bytes();
    if (napi_create_string_utf8(env, fields.data(), fields.size(), &arguments[2]) != napi_ok) {
      answer_.status = EAI_MEMORY;
      napi_create_string_utf8(env, "", 0, &arguments[2]);
    }
    if (napi_get_reference_value(env, done_, &done) == napi_ok &&
        napi_get_undefined(env, &nobody) == napi_ok &&
        napi_create_int32(env, answer_.status, &arguments[0]) == napi_ok &&
        napi_create_int32(env, answer_.error, &arguments[1]) == napi_ok) {
      napi_call_function(env, nobody, done, 3, arguments, nullptr);
    }
  }

  void end(napi_env env) {
    if (done_ != nullptr) napi_delete_reference(env, done_);
    if (work_ != nullptr) napi_delete_async_work(env, work_);
    delete this;
  }

  const Question question_;
  sys::Answer answer_;
  napi_ref done_ = nullptr;
  napi_async_work work_ = nullptr;
};

int begin(Arguments& arguments, Question question) {
  napi_valuetype type;
  if (!arguments.valid() || napi_typeof(arguments.env(), arguments.value(0), &type) != napi_ok ||
      type != napi_function) {
    return -EINVAL;
  }
  return LookUp::begin(arguments.env(), arguments.value(0), std::move(question));
}

// Argument i; a NUL within would end it for the C library before it ends for the caller.
std::string text(Arguments& arguments, size_t i) {
  char buffer[kLongestText + 5];  // room for the character beyond, so that a cut is seen
  size_t length = 0;
  if (napi_get_value_string_utf8(arguments.env(), arguments.value(i), buffer, sizeof(buffer),
                                 &length) != napi_ok ||
      length > kLongestText || std::memchr(buffer, 0, length) != nullptr) {
    arguments.refuse(-EINVAL);
    return {};
  }
  return {buffer, length};
}

// The same, but null is no text at all.
sys::OptionalText optional_text(Arguments& arguments, size_t i) {
  napi_valuetype type;
  if (napi_typeof(arguments.env(), arguments.value(i), &type) == napi_ok && type == napi_null) {
    return std::nullopt;
  }
  return text(arguments, i);
}

sys::Database database(Arguments& arguments, size_t i) {
  const int number = arguments.integer(i);
  if (number < 0 || number >= sys::kDatabases) arguments.refuse(-EINVAL);
  return static_cast<sys::Database>(number);
}

// getaddrinfo(done, host, service, flags, family, type, protocol)
int getaddrinfo(Arguments& arguments) {
  const auto host = optional_text(arguments, 1), service = optional_text(arguments, 2);
  const sys::Hints hints = {arguments.integer(3), arguments.integer(4), arguments.integer(5),
                            arguments.integer(6)};
  return begin(arguments, [=] { return sys::getaddrinfo(host, service, hints); });
}

// getnameinfo(done, family, address, port, scope, flags)
int getnameinfo(Arguments& arguments) {
  const sys::InternetAddress address = {arguments.integer(1), text(arguments, 2),
                                        static_cast<uint16_t>(arguments.integer(3)),
                                        static_cast<uint32_t>(arguments.integer(4))};
  const int flags = arguments.integer(5);
  return begin(arguments, [=] { return sys::getnameinfo(address, flags); });
}

// entryByName(done, database, name, protocol)
int entry_by_name(Arguments& arguments) {
  const auto in = database(arguments, 1);
  const auto name = text(arguments, 2);
  const auto protocol = optional_text(arguments, 3);
  return begin(arguments, [=] { return sys::find_by_name(in, name, protocol); });
}

// entryByNumber(done, database, number, family, protocol)
int entry_by_number(Arguments& arguments) {
  const auto in = database(arguments, 1);
  const auto number = static_cast<uint32_t>(arguments.integer(2));
  const int family = arguments.integer(3);
  const auto protocol = optional_text(arguments, 4);
  return begin(arguments, [=] { return sys::find_by_number(in, number, family, protocol); });
}

// entries(done, database)
int entries(Arguments& arguments) {
  const auto in = database(arguments, 1);
  return begin(arguments, [=] { return sys::enumerate(in); });
}

// lookUps(): how many run, whichever thread of JavaScript's asked.
int look_ups(Arguments&) { return running; }

// gaiStrerror(status): its words.
napi_value gai_strerror(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int status = arguments.integer(0);
  napi_value words = nullptr;
  if (arguments.valid()) {
    napi_create_string_utf8(env, sys::gai_strerror(status), NAPI_AUTO_LENGTH, &words);
  }
  return words;
}

// interfaces(): the fields, or -errno.
napi_value interfaces(napi_env env, napi_callback_info) {
  sys::Fields fields;
  const int result = sys::interfaces(fields);
  const std::string& bytes = fields.bytes();
  napi_value value = nullptr;
  if (result < 0) {
    napi_create_int32(env, result, &value);
  } else {
    napi_create_string_utf8(env, bytes.data(), bytes.size(), &value);
  }
  return value;
}

const Export kCalls[] = {
    {"getaddrinfo", entry<getaddrinfo>},   {"getnameinfo", entry<getnameinfo>},
    {"entryByName", entry<entry_by_name>}, {"entryByNumber", entry<entry_by_number>},
    {"entries", entry<entries>},           {"lookUps", entry<look_ups>},
    {"gaiStrerror", gai_strerror},         {"interfaces", interfaces},
};

}  // namespace

Exports names_calls() { return {kCalls, sizeof(kCalls) / sizeof(*kCalls)}; }

}  // namespace eagain::binding
