#include "azure/find_machines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/text.hpp"
#include "net/url.hpp"

namespace azure {

namespace {

constexpr int kMostPages = 1'000;

// Every page of a list, beginning at a path of ARM's.
std::vector<json::Value> list_all(const Arm& arm, const net::Http& http, const std::string& path) {
  std::vector<json::Value> all;
  std::string url = arm.cloud.arm + path;
  for (int page = 0; page < kMostPages && !url.empty(); ++page) {
    const MachinePage found = read_page(body_of(ask(arm, http, get(url), "list the machines")));
    all.insert(all.end(), found.machines.begin(), found.machines.end());
    url = found.next_link;
    // It is followed with the token.
    if (!url.empty() && net::origin(url) != net::origin(arm.cloud.arm)) {
      throw base::Error(base::exit_malformed_reply,
                        "Azure's list of machines goes on at another host; no token is sent there");
    }
  }
  return all;
}

bool has_tag(const json::Value& machine, const Tag& wanted) {
  for (const auto& [name, value] : read_tags(machine)) {
    const bool fits = !wanted.value || *wanted.value == value;
    if (base::lower_ascii(name) == base::lower_ascii(wanted.name) && fits) return true;
  }
  return false;
}

bool has_tags(const json::Value& machine, const Where& where) {
  return std::all_of(where.tags.begin(), where.tags.end(),
                     [&machine](const Tag& tag) { return has_tag(machine, tag); });
}

std::vector<Machine> of_scale_set(const Arm& arm, const net::Http& http, const Where& where) {
  Machine scale_set;
  scale_set.subscription = where.subscription;
  scale_set.resource_group = where.resource_group;
  scale_set.name = where.scale_set;
  std::vector<Machine> machines;
  for (const std::string& instance : where.instances) {
    machines.push_back(scale_set);
    machines.back().instance = instance;
  }
  if (!machines.empty()) return machines;
  for (const json::Value& instance : list_all(arm, http, instances_path(scale_set))) {
    machines.push_back(read_machine(instance));
  }
  return machines;
}

std::vector<Machine> named(const Where& where) {
  std::vector<Machine> machines;
  for (const std::string& name : where.names) {
    Machine machine;
    machine.subscription = where.subscription;
    machine.resource_group = where.resource_group;
    machine.name = name;
    machines.push_back(machine);
  }
  for (const std::string& id : where.ids) machines.push_back(machine_of_id(id));
  return machines;
}

// "no machine in the resource group ops has the tags role=web and env; check --tag and …"
std::string words_of_none(const Where& where) {
  if (!where.scale_set.empty() && where.tags.empty() && !where.all) {
    return fmt::format("the scale set {} has no instances; check --vmss", where.scale_set);
  }
  const std::string place = where.resource_group.empty()
                                ? "the subscription " + where.subscription
                                : "the resource group " + where.resource_group;
  const char* option = where.resource_group.empty() ? "--subscription" : "--resource-group";
  if (where.tags.empty()) return fmt::format("{} has no machine; check {}", place, option);
  std::vector<std::string> tags;
  for (const Tag& tag : where.tags) tags.push_back(tag.name + (tag.value ? "=" + *tag.value : ""));
  return fmt::format("no machine in {} has the {} {}; check --tag and {}", place,
                     tags.size() == 1 ? "tag" : "tags", base::join(tags, " and "), option);
}

}  // namespace

std::vector<Machine> find_machines(const Arm& arm, const net::Http& http, const Where& where) {
  std::vector<Machine> found = named(where);
  if (!where.scale_set.empty()) {
    for (const Machine& machine : of_scale_set(arm, http, where)) found.push_back(machine);
  }
  if (where.all || !where.tags.empty()) {
    const std::string path = machines_path(where.subscription, where.resource_group);
    for (const json::Value& machine : list_all(arm, http, path)) {
      if (has_tags(machine, where)) found.push_back(read_machine(machine));
    }
  }
  std::vector<Machine> once;
  std::set<std::string> known;
  for (const Machine& machine : found) {
    if (known.insert(key_of(machine)).second) once.push_back(machine);
  }
  if (once.empty()) {
    throw base::Error(base::exit_missing_input, words_of_none(where) + "; nothing was run");
  }
  return once;
}

}  // namespace azure
