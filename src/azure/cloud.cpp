#include "azure/cloud.hpp"

#include "base/text.hpp"

namespace azure {

namespace {

struct Named {
  const char* name;
  const char* cli_name;  // in lower case
  const char* arm;
  const char* authority;
};

constexpr Named kClouds[] = {
    {"public", "azurecloud", "https://management.azure.com", "https://login.microsoftonline.com"},
    {"usgov", "azureusgovernment", "https://management.usgovcloudapi.net",
     "https://login.microsoftonline.us"},
    {"china", "azurechinacloud", "https://management.chinacloudapi.cn",
     "https://login.chinacloudapi.cn"},
};

}  // namespace

std::optional<Cloud> cloud_named(std::string_view name) {
  const std::string word = base::lower_ascii(name);
  for (const Named& cloud : kClouds) {
    if (word == cloud.name || word == cloud.cli_name) return Cloud{cloud.arm, cloud.authority};
  }
  return std::nullopt;
}

std::string without_slash(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

}  // namespace azure
