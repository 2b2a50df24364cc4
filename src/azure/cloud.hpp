// Where Azure is: its clouds, each with an API of its own (Azure Resource Manager) and a place to
// sign in (Microsoft Entra).
// Source: azure-cli's cloud profiles, learn.microsoft.com "National clouds".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace azure {

struct Cloud {
  std::string arm;        // "https://management.azure.com", no slash at the end
  std::string authority;  // "https://login.microsoftonline.com", no slash at the end
};

// "public", "usgov", "china", or as the Azure CLI says: "AzureCloud", "AzureUSGovernment",
// "AzureChinaCloud"; in any case of letters.
std::optional<Cloud> cloud_named(std::string_view name);

// An address without the slashes that people and Azure's own settings end it with.
std::string without_slash(std::string_view url);

}  // namespace azure
