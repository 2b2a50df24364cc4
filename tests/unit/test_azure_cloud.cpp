#include <doctest/doctest.h>

#include <string>

#include "azure/cloud.hpp"

TEST_CASE("a cloud is known by our name and by the Azure CLI's, in any case of letters") {
  struct {
    std::string name;
    std::string arm;
    std::string authority;
  } const rows[] = {
      {"public", "https://management.azure.com", "https://login.microsoftonline.com"},
      {"AzureCloud", "https://management.azure.com", "https://login.microsoftonline.com"},
      {"azurecloud", "https://management.azure.com", "https://login.microsoftonline.com"},
      {"usgov", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"},
      {"USGov", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"},
      {"AzureUSGovernment", "https://management.usgovcloudapi.net",
       "https://login.microsoftonline.us"},
      {"china", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"},
      {"AZURECHINACLOUD", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto cloud = azure::cloud_named(row.name);
    REQUIRE(cloud);
    CHECK(cloud->arm == row.arm);
    CHECK(cloud->authority == row.authority);
  }
  for (const char* name : {"", "azure", "public ", "AzureGermanCloud", "AzureStack"}) {
    CAPTURE(name);
    CHECK(!azure::cloud_named(name));
  }
}

TEST_CASE("addresses lose the slashes at their end") {
  CHECK(azure::without_slash("https://a.example/") == "https://a.example");
  CHECK(azure::without_slash("https://a.example//") == "https://a.example");
  CHECK(azure::without_slash("https://a.example/b") == "https://a.example/b");
  CHECK(azure::without_slash("") == "");
}
