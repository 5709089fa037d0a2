#include "lib/security/ssl_tickets.h"

#include <map>
#include <mutex>
#include <utility>

namespace socksify {
namespace {

constexpr size_t kMostServers = 64;

std::mutex g_mutex;

std::map<std::string, Secret>& Tickets() {
  static auto& tickets = *new std::map<std::string, Secret>;
  return tickets;
}

}  // namespace

Secret FindTicket(const std::string& server) {
  std::lock_guard lock(g_mutex);
  auto found = Tickets().find(server);
  return found == Tickets().end() ? Secret() : found->second;
}

void KeepTicket(const std::string& server, Secret ticket) {
  if (ticket.empty()) return;
  std::lock_guard lock(g_mutex);
  auto& tickets = Tickets();
  if (tickets.size() >= kMostServers && !tickets.contains(server)) tickets.erase(tickets.begin());
  tickets[server] = std::move(ticket);
}

}  // namespace socksify
