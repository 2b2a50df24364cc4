#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "base/error.hpp"
#include "net/ca.hpp"

namespace {

using Variables = std::map<std::string, std::string>;
using Files = std::set<std::string>;

net::CaLocation found(const Variables& variables, const Files& files) {
  const auto env = [&](const std::string& name) {
    const auto variable = variables.find(name);
    return variable == variables.end() ? std::string() : variable->second;
  };
  return net::find_ca(env, [&](const std::string& path) { return files.contains(path); });
}

std::string refused(const Variables& variables, const Files& files) {
  try {
    found(variables, files);
  } catch (const base::Error& error) {
    return std::to_string(int{error.code()}) + " " + error.what();
  }
  return "";
}

const std::string kDebian = "/etc/ssl/certs/ca-certificates.crt";
const std::string kFedora = "/etc/pki/tls/certs/ca-bundle.crt";
const std::string kSuse = "/etc/ssl/ca-bundle.pem";

}  // namespace

TEST_CASE("the bundle of each usual system is found") {
  for (const std::string& bundle : {kDebian, kFedora, kSuse}) {
    CAPTURE(bundle);
    const net::CaLocation ca = found({}, {"/etc/passwd", bundle});
    CHECK(ca.file == bundle);
    CHECK(ca.directory == "");
  }
  CHECK(found({}, {kSuse, kFedora, kDebian}).file == kDebian);
}

TEST_CASE("without a bundle both are empty") {
  const net::CaLocation ca = found({}, {"/etc/passwd"});
  CHECK(ca.file == "");
  CHECK(ca.directory == "");
}

TEST_CASE("the variables come before the usual places") {
  struct {
    std::string what;
    Variables variables;
    std::string file;
    std::string directory;
  } const rows[] = {
      {"file", {{"SSL_CERT_FILE", "/my.pem"}}, "/my.pem", ""},
      {"directory", {{"SSL_CERT_DIR", "/my"}}, "", "/my"},
      {"both", {{"SSL_CERT_FILE", "/my.pem"}, {"SSL_CERT_DIR", "/my"}}, "/my.pem", "/my"},
      {"empty means absent", {{"SSL_CERT_FILE", ""}, {"SSL_CERT_DIR", ""}}, kDebian, ""},
      {"one is empty", {{"SSL_CERT_FILE", ""}, {"SSL_CERT_DIR", "/my"}}, "", "/my"},
      {"others do not matter", {{"CURL_CA_BUNDLE", "/no"}, {"SSL_CERT", "/no"}}, kDebian, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const net::CaLocation ca = found(row.variables, {"/my.pem", "/my", kDebian});
    CHECK(ca.file == row.file);
    CHECK(ca.directory == row.directory);
  }
}

TEST_CASE("a variable that names nothing readable is an error, not ignored") {
  struct {
    std::string variable;
    Variables variables;
  } const rows[] = {
      {"SSL_CERT_FILE", {{"SSL_CERT_FILE", "/gone"}}},
      {"SSL_CERT_DIR", {{"SSL_CERT_DIR", "/gone"}}},
      {"SSL_CERT_FILE", {{"SSL_CERT_FILE", "/gone"}, {"SSL_CERT_DIR", "/my"}}},
      {"SSL_CERT_DIR", {{"SSL_CERT_FILE", "/my.pem"}, {"SSL_CERT_DIR", "/gone"}}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.variable);
    const std::string error = refused(row.variables, {"/my.pem", "/my", kDebian});
    CAPTURE(error);
    CHECK(error.starts_with("78 "));
    CHECK(error.find(row.variable) != std::string::npos);
    CHECK(error.find("/gone") != std::string::npos);
  }
}

TEST_CASE("path_exists knows files and directories") {
  const std::filesystem::path here = std::filesystem::temp_directory_path();
  CHECK(net::path_exists(here.string()));
  CHECK(net::path_exists("/dev/null"));
  CHECK(!net::path_exists((here / "unit_net_ca" / "nowhere").string()));
  CHECK(!net::path_exists(""));
}
