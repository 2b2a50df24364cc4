#include <doctest/doctest.h>

#include "azure/machine.hpp"
#include "base/error.hpp"
#include "json/read.hpp"

namespace {

const std::string kId =
    "/subscriptions/s1/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/web1";
const std::string kInstanceId =
    "/subscriptions/s1/resourceGroups/RG/providers/Microsoft.Compute/virtualMachineScaleSets/ss/"
    "virtualMachines/3";

int code_for(const std::string& id) {
  try {
    azure::machine_of_id(id);
  } catch (const base::Error& error) {
    return error.code();
  }
  return 0;
}

azure::Machine machine(const std::string& group, const std::string& name) {
  azure::Machine made;
  made.subscription = "s1";
  made.resource_group = group;
  made.name = name;
  return made;
}

}  // namespace

TEST_CASE("machine: resource IDs, there and back") {
  for (const std::string& id : {kId, kInstanceId}) {
    CHECK(azure::resource_id(azure::machine_of_id(id)) == id);
  }
  CHECK(azure::machine_of_id(kInstanceId).instance == "3");
  CHECK(azure::short_name(azure::machine_of_id(kInstanceId)) == "ss/3");
  // ARM writes the fixed words in any case.
  CHECK(azure::machine_of_id("/SUBSCRIPTIONS/s1/resourcegroups/RG/PROVIDERS/microsoft.compute/"
                             "virtualmachines/web1")
            .name == "web1");
}

TEST_CASE("machine: what is no ID of one is a usage error") {
  for (const std::string& id :
       {std::string(), std::string("web1"), kId + "/", kId + "/extensions/x", kId.substr(1),
        std::string("/subscriptions//resourceGroups/RG/providers/Microsoft.Compute/"
                    "virtualMachines/web1"),
        std::string("/subscriptions/s1/resourceGroups/RG/providers/Microsoft.Compute/disks/d")}) {
    CAPTURE(id);
    CHECK(code_for(id) == 64);
  }
}

TEST_CASE("machine: a name can't leave its place in the path") {
  CHECK(azure::resource_path(machine("a/b", "x?y#z")) ==
        "/subscriptions/s1/resourceGroups/a%2Fb/providers/Microsoft.Compute/virtualMachines/"
        "x%3Fy%23z");
}

TEST_CASE("machine: names by which a person can tell them apart") {
  const std::vector<azure::Machine> machines = {machine("a", "web"), machine("b", "web"),
                                                machine("a", "db")};
  CHECK(azure::shown_names(machines) == std::vector<std::string>{"a/web", "b/web", "db"});
}

TEST_CASE("machine: what Azure tells of one") {
  const json::Value reply =
      json::parse(R"({"id":")" + kId + R"(","location":"westus","tags":{"Role":"web","n":3},
      "properties":{"storageProfile":{"osDisk":{"osType":"Windows"}},"instanceView":{
      "vmAgent":{"statuses":[{"displayStatus":"Ready"}]},
      "statuses":[{"code":"ProvisioningState/succeeded"},{"code":"PowerState/running"}]}}})",
                  "test");
  const azure::Machine read = azure::read_machine(reply);
  CHECK(read.system == azure::System::windows);
  CHECK(read.location == "westus");
  CHECK(azure::power_state(reply) == "running");
  CHECK(azure::agent_state(reply) == "Ready");
  CHECK(azure::read_tags(reply).size() == 2);
  CHECK(azure::power_state(json::Value()).empty());
  CHECK_THROWS_AS(azure::read_machine(json::parse(R"({"id":"x"})", "test")), base::Error);
}

TEST_CASE("machine: the same one, whatever the case of its letters") {
  CHECK(azure::key_of(machine("RG", "Web")) == azure::key_of(machine("rg", "web")));
  CHECK(azure::key_of(machine("rg", "web")) != azure::key_of(machine("rg", "web2")));
}
