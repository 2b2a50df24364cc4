// Virtual machines of Azure: their names, their addresses in Azure Resource Manager, and what is
// read of them. Pure.
// Source: azure-rest-api-specs, Microsoft.Compute 2024-11-01; facts of ARM's resource IDs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "json/value.hpp"

namespace azure {

inline constexpr const char* kComputeVersion = "2024-11-01";

enum class System { unknown, linux, windows };

struct Machine {
  std::string subscription;
  std::string resource_group;
  std::string name;      // of the machine, or of its scale set
  std::string instance;  // of the scale set; "" for a machine of its own
  // Read from Azure, as far as it was asked.
  System system = System::unknown;
  std::string location;
};

// "/subscriptions/…/virtualMachines/NAME", as a person sees it and as part of a URL.
std::string resource_id(const Machine& machine);
std::string resource_path(const Machine& machine);

// The machine of a resource ID, of a scale set's instance too. Throws 64 for anything else.
Machine machine_of_id(const std::string& id);

// "NAME", or "SET/INSTANCE".
std::string short_name(const Machine& machine);

// A name for each by which a person can tell them apart: short, with the resource group in front
// where two are alike, whole IDs where even these are.
std::vector<std::string> shown_names(const std::vector<Machine>& machines);

// The same for every spelling of a machine: ARM knows no upper and lower case.
std::string key_of(const Machine& machine);

// A machine (or instance of a scale set) as ARM describes it; its ID is taken from the reply.
// Throws 76.
Machine read_machine(const json::Value& reply);

// "name": "value" of each of its tags.
std::vector<std::pair<std::string, std::string>> read_tags(const json::Value& reply);

struct MachinePage {
  std::vector<json::Value> machines;
  std::string next_link;  // "" on the last page
};
MachinePage read_page(const json::Value& reply);  // throws 76

// Paths to ask for, with their query.
std::string machine_path(const Machine& machine);  // with what goes on in it
std::string machines_path(const std::string& subscription, const std::string& resource_group);
std::string instances_path(const Machine& scale_set);  // of a scale set, instance ""

// "running", "deallocated"…, "" when the reply does not say; likewise its agent's ("Ready").
std::string power_state(const json::Value& reply);
std::string agent_state(const json::Value& reply);

}  // namespace azure
