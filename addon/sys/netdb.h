// <netdb.h>: names to addresses and back, and the databases of hosts, networks, protocols and
// services. These calls read files and wait for servers: for a thread that may be kept waiting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "addon/sys/fields.h"

namespace eagain::sys {

struct Answer {
  int status = 0;  // 0, or an EAI_ number
  int error = 0;   // errno, where the status is EAI_SYSTEM
  Fields fields;   // none where there is no such entry
};

using OptionalText = std::optional<std::string>;

inline const char* pointer(const OptionalText& text) { return text ? text->c_str() : nullptr; }

struct Hints {
  int flags, family, type, protocol;
};

struct InternetAddress {
  int family;
  std::string address;  // a literal
  uint16_t port;
  uint32_t scope;
};

// Of each addrinfo: family, type, protocol, address, port, scope, canonical name.
Answer getaddrinfo(const OptionalText& host, const OptionalText& service, const Hints& hints);
// Host and service.
Answer getnameinfo(const InternetAddress& address, int flags);
const char* gai_strerror(int status);

enum class Database { kHosts = 0, kNetworks = 1, kProtocols = 2, kServices = 3 };
constexpr int kDatabases = 4;

// One entry, or all of them:
//   hosts      name, aliases, family, addresses        networks   name, aliases, family, number
//   protocols  name, aliases, number                   services   name, aliases, port, protocol
// Hosts can only be enumerated. `protocol` is a service's: any, if there is none.
Answer find_by_name(Database database, const std::string& name, const OptionalText& protocol);
Answer find_by_number(Database database, uint32_t number, int family, const OptionalText& protocol);
Answer enumerate(Database database);

}  // namespace eagain::sys
