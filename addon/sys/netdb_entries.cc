// The databases of <netdb.h>. All of these functions answer in memory that the next call uses
// again, and an enumeration has one place in the file for the whole process, whatever the thread:
// so a lock is held from the call until its answer is copied, or the enumeration through. One for
// each database: that of networks may ask a server, which may take its time. (glibc has re-entrant
// forms of most, musl of services' alone.)
#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <mutex>

#include "addon/sys/netdb.h"

namespace eagain::sys {
namespace {

std::mutex& lock_of(Database database) {
  static std::mutex mutexes[kDatabases];
  const auto index = static_cast<size_t>(database);
  return mutexes[index < kDatabases ? index : 0];
}

using Guard = std::lock_guard<std::mutex>;

void add(Fields& fields, const hostent& entry) {
  fields.text(entry.h_name);
  fields.texts(entry.h_aliases);
  fields.number(entry.h_addrtype);
  long long length = 0;
  while (entry.h_addr_list[length] != nullptr) length++;
  fields.number(length);
  for (long long i = 0; i < length; i++) {
    char text[INET6_ADDRSTRLEN] = "";
    ::inet_ntop(entry.h_addrtype, entry.h_addr_list[i], text, sizeof(text));
    fields.text(text);
  }
}

void add(Fields& fields, const netent& entry) {
  fields.text(entry.n_name);
  fields.texts(entry.n_aliases);
  fields.number(entry.n_addrtype);
  fields.number(entry.n_net);
}

void add(Fields& fields, const protoent& entry) {
  fields.text(entry.p_name);
  fields.texts(entry.p_aliases);
  fields.number(entry.p_proto);
}

void add(Fields& fields, const servent& entry) {
  fields.text(entry.s_name);
  fields.texts(entry.s_aliases);
  fields.number(ntohs(static_cast<uint16_t>(entry.s_port)));
  fields.text(entry.s_proto);
}

template <typename Entry>
Answer answer_of(const Entry* entry) {
  Answer answer;
  if (entry != nullptr) add(answer.fields, *entry);
  return answer;
}

// Only networks may be asked of a server, which may fail.
Answer network_of(const netent* entry) {
  Answer answer = answer_of(entry);
  if (entry == nullptr && h_errno == TRY_AGAIN) answer.status = EAI_AGAIN;
  if (entry == nullptr && h_errno == NO_RECOVERY) answer.status = EAI_FAIL;
  return answer;
}

template <typename Entry>
Answer all(void (*begin)(int), Entry* (*next)(), void (*end)()) {
  Answer answer;
  begin(0);
  while (const Entry* entry = next()) add(answer.fields, *entry);
  end();
  return answer;
}

Answer unknown() {
  Answer answer;
  answer.status = EAI_FAMILY;
  return answer;
}

}  // namespace

Answer find_by_name(Database database, const std::string& name, const OptionalText& protocol) {
  const Guard guard(lock_of(database));
  switch (database) {
    case Database::kNetworks:
      h_errno = 0;
      return network_of(::getnetbyname(name.c_str()));
    case Database::kProtocols:
      return answer_of(::getprotobyname(name.c_str()));
    case Database::kServices:
      return answer_of(::getservbyname(name.c_str(), pointer(protocol)));
    default:
      return unknown();
  }
}

Answer find_by_number(Database database, uint32_t number, int family,
                      const OptionalText& protocol) {
  const Guard guard(lock_of(database));
  switch (database) {
    case Database::kNetworks:
      h_errno = 0;
      return network_of(::getnetbyaddr(number, family));
    case Database::kProtocols:
      return answer_of(::getprotobynumber(static_cast<int>(number)));
    case Database::kServices:
      return answer_of(::getservbyport(htons(static_cast<uint16_t>(number)), pointer(protocol)));
    default:
      return unknown();
  }
}

Answer enumerate(Database database) {
  const Guard guard(lock_of(database));
  switch (database) {
    case Database::kHosts:
      return all<hostent>(::sethostent, ::gethostent, ::endhostent);
    case Database::kNetworks:
      return all<netent>(::setnetent, ::getnetent, ::endnetent);
    case Database::kProtocols:
      return all<protoent>(::setprotoent, ::getprotoent, ::endprotoent);
    case Database::kServices:
      return all<servent>(::setservent, ::getservent, ::endservent);
    default:
      return unknown();
  }
}

}  // namespace eagain::sys
