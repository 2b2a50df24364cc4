#include "azure/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "net/url.hpp"

namespace azure {

namespace {

constexpr std::string_view kProvider = "providers/Microsoft.Compute";

std::string group_path(const std::string& subscription, const std::string& resource_group) {
  return fmt::format("/subscriptions/{}/resourceGroups/{}", net::percent_encode(subscription),
                     net::percent_encode(resource_group));
}

// The ID with its four names written in some way.
template <typename Write>
std::string id_of(const Machine& machine, const Write& write) {
  const std::string beginning =
      fmt::format("/subscriptions/{}/resourceGroups/{}/{}/", write(machine.subscription),
                  write(machine.resource_group), kProvider);
  const std::string name = write(machine.name);
  if (machine.instance.empty()) return fmt::format("{}virtualMachines/{}", beginning, name);
  return fmt::format("{}virtualMachineScaleSets/{}/virtualMachines/{}", beginning, name,
                     write(machine.instance));
}

bool is_word(const std::string& text, const char* word) {
  return base::lower_ascii(text) == base::lower_ascii(word);
}

// The code of the first status that begins so, without that beginning: "PowerState/running".
std::string status_code(const json::Value* statuses, const std::string& beginning) {
  const json::Array* list = json::as_array(statuses);
  if (list == nullptr) return "";
  for (const json::Value& status : *list) {
    const std::string code = json::string_at(status, "code");
    if (code.starts_with(beginning)) return code.substr(beginning.size());
  }
  return "";
}

System system_of(const json::Value& reply) {
  const json::Value* type = json::find(reply, {"properties", "storageProfile", "osDisk", "osType"});
  const std::string* word = json::as_string(type);
  if (word == nullptr) return System::unknown;
  return is_word(*word, "windows") ? System::windows : System::linux;
}

}  // namespace

std::string resource_id(const Machine& machine) {
  return id_of(machine, [](const std::string& part) { return part; });
}

std::string resource_path(const Machine& machine) {
  return id_of(machine, [](const std::string& part) { return net::percent_encode(part); });
}

Machine machine_of_id(const std::string& id) {
  const std::vector<std::string> parts = base::split(base::trim(id), '/');
  const bool starts_right = (parts.size() == 9 || parts.size() == 11) && parts[0].empty() &&
                            is_word(parts[1], "subscriptions") &&
                            is_word(parts[3], "resourceGroups") && is_word(parts[5], "providers") &&
                            is_word(parts[6], "Microsoft.Compute");
  const bool is_machine = starts_right && parts.size() == 9 && is_word(parts[7], "virtualMachines");
  const bool is_instance = starts_right && parts.size() == 11 &&
                           is_word(parts[7], "virtualMachineScaleSets") &&
                           is_word(parts[9], "virtualMachines");
  const bool has_names = std::none_of(parts.begin() + (parts.empty() ? 0 : 1), parts.end(),
                                      [](const std::string& part) { return part.empty(); });
  if ((!is_machine && !is_instance) || !has_names) {
    throw base::Error(base::exit_usage,
                      fmt::format("'{}' is no resource ID of a virtual machine; it must look like "
                                  "/subscriptions/SUB/resourceGroups/GROUP/providers/"
                                  "Microsoft.Compute/virtualMachines/NAME",
                                  base::shorten(base::one_line(id), 120)));
  }
  Machine machine;
  machine.subscription = parts[2];
  machine.resource_group = parts[4];
  machine.name = parts[8];
  if (is_instance) machine.instance = parts[10];
  return machine;
}

std::string short_name(const Machine& machine) {
  return machine.instance.empty() ? machine.name : machine.name + "/" + machine.instance;
}

std::vector<std::string> shown_names(const std::vector<Machine>& machines) {
  const auto longer = [](const Machine& machine) {
    return machine.resource_group + "/" + short_name(machine);
  };
  std::map<std::string, int> times;
  for (const Machine& machine : machines) {
    ++times[short_name(machine)];
    ++times[longer(machine)];
  }
  std::vector<std::string> names;
  names.reserve(machines.size());
  for (const Machine& machine : machines) {
    if (times[short_name(machine)] == 1) {
      names.push_back(short_name(machine));
    } else {
      names.push_back(times[longer(machine)] == 1 ? longer(machine) : resource_id(machine));
    }
  }
  return names;
}

std::string key_of(const Machine& machine) {
  return base::lower_ascii(resource_id(machine));
}

Machine read_machine(const json::Value& reply) {
  Machine machine;
  try {
    machine = machine_of_id(json::string_at(reply, "id"));
  } catch (const base::Error&) {
    throw base::Error(base::exit_malformed_reply,
                      "Azure describes a machine without a usable id; please report this");
  }
  machine.system = system_of(reply);
  machine.location = json::string_at(reply, "location");
  return machine;
}

std::vector<std::pair<std::string, std::string>> read_tags(const json::Value& reply) {
  std::vector<std::pair<std::string, std::string>> tags;
  const json::Object* object = json::as_object(json::find(reply, "tags"));
  if (object == nullptr) return tags;
  for (const json::Member& tag : *object) {
    const std::string* value = json::as_string(&tag.value);
    tags.emplace_back(tag.name, value == nullptr ? "" : *value);
  }
  return tags;
}

MachinePage read_page(const json::Value& reply) {
  const json::Array* list = json::as_array(json::find(reply, "value"));
  if (list == nullptr) {
    throw base::Error(base::exit_malformed_reply, "Azure's list of machines has no \"value\"");
  }
  return {*list, json::string_at(reply, "nextLink")};
}

std::string machine_path(const Machine& machine) {
  return fmt::format("{}?$expand=instanceView&api-version={}", resource_path(machine),
                     kComputeVersion);
}

std::string machines_path(const std::string& subscription, const std::string& resource_group) {
  const std::string scope = resource_group.empty()
                                ? "/subscriptions/" + net::percent_encode(subscription)
                                : group_path(subscription, resource_group);
  return fmt::format("{}/{}/virtualMachines?api-version={}", scope, kProvider, kComputeVersion);
}

std::string instances_path(const Machine& scale_set) {
  return fmt::format("{}/{}/virtualMachineScaleSets/{}/virtualMachines?api-version={}",
                     group_path(scale_set.subscription, scale_set.resource_group), kProvider,
                     net::percent_encode(scale_set.name), kComputeVersion);
}

std::string power_state(const json::Value& reply) {
  return status_code(json::find(reply, {"properties", "instanceView", "statuses"}), "PowerState/");
}

std::string agent_state(const json::Value& reply) {
  const json::Array* list =
      json::as_array(json::find(reply, {"properties", "instanceView", "vmAgent", "statuses"}));
  return list == nullptr || list->empty() ? "" : json::string_at(list->front(), "displayStatus");
}

}  // namespace azure
