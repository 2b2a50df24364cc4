#include "azure/rights.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "azure/errors.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace azure {

namespace {

constexpr const char* kPermissions =
    "/providers/Microsoft.Authorization/permissions?api-version=2022-04-01";
constexpr const char* kFollowing = "Microsoft.Compute/locations/operations/read";
constexpr const char* kRole =
    "give the role Virtual Machine Contributor on the resource group, or one of your own with ";

// "*" stands for any text; upper and lower case are alike.
bool fits(std::string_view pattern, std::string_view text) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (size_t at = star; at <= text.size(); ++at) {
    if (fits(rest, text.substr(at))) return true;
  }
  return false;
}

bool has(const json::Value& permission, const char* list, const std::string& action) {
  const json::Array* patterns = json::as_array(json::find(permission, list));
  if (patterns == nullptr) return false;
  const std::string wanted = base::lower_ascii(action);
  return std::any_of(patterns->begin(), patterns->end(), [&wanted](const json::Value& pattern) {
    const std::string* text = json::as_string(&pattern);
    return text != nullptr && fits(base::lower_ascii(*text), wanted);
  });
}

std::string group_of(const Machine& machine) {
  const std::string id = resource_path(machine);
  return id.substr(0, id.find("/providers/"));
}

std::vector<std::string> needed_actions(const Machine& machine, bool managed) {
  const std::string kind = machine.instance.empty()
                               ? "Microsoft.Compute/virtualMachines/"
                               : "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/";
  if (!managed) return {kind + "runCommand/action"};
  return {kind + "runCommands/read", kind + "runCommands/write", kind + "runCommands/delete"};
}

Finding find_right(const json::Value& permissions, const std::string& action,
                   const std::string& where) {
  if (allows(permissions, action))
    return {base::exit_ok, fmt::format("{} on the {}", action, where)};
  return {base::exit_refused,
          fmt::format("{} is missing on the {}; {}{}", action, where, kRole, action)};
}

Finding read_state(const json::Value& reply) {
  const std::string power = base::one_line(power_state(reply));
  const std::string agent = base::one_line(agent_state(reply));
  const std::string text =
      fmt::format("the machine is {}, its agent {}", power.empty() ? "in an unknown state" : power,
                  agent.empty() ? "unknown" : agent);
  if (!power.empty() && power != "running")
    return {base::exit_unavailable, text + "; start it first"};
  if (!agent.empty() && base::lower_ascii(agent) != "ready") {
    return {base::exit_unavailable, text + "; a script needs the agent: restart it or the machine"};
  }
  return {base::exit_ok, text};
}

}  // namespace

bool allows(const json::Value& permissions, const std::string& action) {
  const json::Array* list = json::as_array(json::find(permissions, "value"));
  return list != nullptr &&
         std::any_of(list->begin(), list->end(), [&action](const json::Value& permission) {
           return has(permission, "actions", action) && !has(permission, "notActions", action);
         });
}

std::vector<Finding> check_machine(const Arm& arm, const net::Http& http, const Machine& machine,
                                   bool managed) {
  std::vector<Finding> findings;
  arm.tokens->token();
  const auto look = [&](const std::string& url, const std::string& doing, const auto& find) {
    try {
      find(body_of(ask(arm, http, get(arm.cloud.arm + url), doing)));
    } catch (const base::Error& error) {
      if (error.code() == base::exit_interrupted) throw;
      findings.push_back({error.code(), error.what()});
    }
  };
  look(machine_path(machine), "read the machine",
       [&](const json::Value& reply) { findings.push_back(read_state(reply)); });
  look(resource_path(machine) + kPermissions, "tell what is allowed on the machine",
       [&](const json::Value& reply) {
         for (const std::string& action : needed_actions(machine, managed)) {
           findings.push_back(find_right(reply, action, "machine"));
         }
       });
  if (managed) return findings;  // it is followed by its own resource, not by an operation
  look(group_of(machine) + kPermissions, "tell what is allowed in the resource group",
       [&](const json::Value& reply) {
         findings.push_back(
             find_right(reply, kFollowing, "resource group, which following the script needs"));
       });
  return findings;
}

}  // namespace azure
