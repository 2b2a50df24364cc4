#include "azure/ticket.hpp"

#include <optional>

#include "base/error.hpp"
#include "base/text.hpp"
#include "json/read.hpp"
#include "json/write.hpp"
#include "net/base64.hpp"

namespace azure {

namespace {

constexpr const char* kShells[] = {"sh", "bash", "powershell"};  // in the order of Shell

base::Error unreadable() {
  return {base::exit_bad_input,
          "the token to attach to can't be read; copy the whole line that --detach printed"};
}

Ticket read_ticket(const json::Value& value) {
  Ticket ticket;
  ticket.arm = json::string_at(value, "arm");
  ticket.machine.subscription = json::string_at(value, "subscription");
  ticket.machine.resource_group = json::string_at(value, "group");
  ticket.machine.name = json::string_at(value, "name");
  ticket.machine.instance = json::string_at(value, "instance");
  ticket.nonce = json::string_at(value, "nonce");
  ticket.full_output = json::bool_at(value, "full");
  ticket.status_url = json::string_at(value, "status");
  ticket.result_url = json::string_at(value, "result");
  ticket.managed_name = json::string_at(value, "managed");
  const std::string shell = json::string_at(value, "shell");
  for (size_t i = 0; i < std::size(kShells); ++i) {
    if (shell == kShells[i]) ticket.shell = static_cast<Shell>(i);
  }
  const bool has_way =
      !ticket.status_url.empty() || !ticket.result_url.empty() || !ticket.managed_name.empty();
  if (!has_way || ticket.machine.name.empty()) throw unreadable();
  return ticket;
}

}  // namespace

std::string write_tickets(const std::vector<Ticket>& tickets) {
  json::Array list;
  for (const Ticket& ticket : tickets) {
    json::Object value{{"shell", kShells[static_cast<size_t>(ticket.shell)]}};
    const std::pair<const char*, const std::string&> texts[] = {
        {"arm", ticket.arm},
        {"subscription", ticket.machine.subscription},
        {"group", ticket.machine.resource_group},
        {"name", ticket.machine.name},
        {"instance", ticket.machine.instance},
        {"nonce", ticket.nonce},
        {"status", ticket.status_url},
        {"result", ticket.result_url},
        {"managed", ticket.managed_name}};
    for (const auto& [name, text] : texts) {
      if (!text.empty()) value.push_back({name, text});
    }
    if (ticket.full_output) value.push_back({"full", true});
    list.emplace_back(std::move(value));
  }
  return net::base64url(json::write(list));
}

std::vector<Ticket> read_tickets(const std::string& text) {
  const std::optional<std::string> bytes = net::from_base64(base::trim(text));
  const std::optional<json::Value> value = bytes ? json::try_parse(*bytes) : std::nullopt;
  const json::Array* list = value ? json::as_array(&*value) : nullptr;
  if (list == nullptr || list->empty()) throw unreadable();
  std::vector<Ticket> tickets;
  for (const json::Value& entry : *list) tickets.push_back(read_ticket(entry));
  return tickets;
}

}  // namespace azure
