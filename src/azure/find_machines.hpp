// Which machines are meant: by name, by resource ID, by tag, all of a group, the instances of a
// scale set. Asks Azure only for what is not named.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "azure/arm.hpp"
#include "azure/machine.hpp"

namespace azure {

struct Tag {
  std::string name;                  // in any case, as Azure has it
  std::optional<std::string> value;  // none: any
};

struct Where {
  std::string subscription;
  std::string resource_group;
  std::vector<std::string> names;
  std::vector<std::string> ids;
  std::vector<Tag> tags;  // machines with all of these
  bool all = false;       // of the resource group, or of the subscription without one
  std::string scale_set;  // its instances, or only those named
  std::vector<std::string> instances;
};

// Each once, in the order given or listed. Throws 66 when none fits.
std::vector<Machine> find_machines(const Arm& arm, const net::Http& http, const Where& where);

}  // namespace azure
