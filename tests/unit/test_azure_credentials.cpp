#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "azure/credentials.hpp"
#include "base/error.hpp"

namespace {

using azure::Known;
using azure::Method;

constexpr const char* kSecretText = "s3cr3t&=+% \xC3\xBC";

Known who() {
  Known known;
  known.tenant = "contoso.example";
  known.client_id = "app-1";
  return known;
}

Known with(Known known, const std::function<void(Known&)>& change) {
  change(known);
  return known;
}

void add_secret(Known& known) {
  known.client_secret = kSecretText;
}

void add_certificate(Known& known) {
  known.certificate_file = "cert.pem";
}

void add_github(Known& known) {
  known.in_actions = true;
  known.github_url = "https://token.example/?a=b";
  known.github_token = kSecretText;
}

void add_workload(Known& known) {
  known.federated_token_file = "/var/run/token";
}

void add_app_service(Known& known) {
  known.identity_endpoint = "http://127.0.0.1:1/msi";
  known.identity_header = kSecretText;
}

// "CODE TEXT" of the error, or the way that is chosen.
std::string outcome(const Known& known, const std::string& auth) {
  try {
    return std::string(word_of(azure::choose(known, auth).method));
  } catch (const base::Error& error) {
    return std::to_string(int{error.code()}) + " " + error.what();
  }
}

void check_holds(const std::string& text, const std::string& part) {
  CHECK_MESSAGE(text.find(part) != std::string::npos, text);
}

std::string creds_failure(const std::string& text) {
  try {
    azure::read_creds(text, "--creds (AZURE_CREDENTIALS)");
  } catch (const base::Error& error) {
    return std::to_string(int{error.code()}) + " " + error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("the first way that is begun is taken, in this order") {
  Known known = who();
  add_secret(known);
  add_certificate(known);
  add_github(known);
  add_workload(known);
  add_app_service(known);
  for (const std::string auth : {"", "auto"}) {
    Known left = known;
    CHECK(azure::choose(left, auth).method == Method::secret);
    left.client_secret = "";
    CHECK(azure::choose(left, auth).method == Method::certificate);
    left.certificate_file = "";
    CHECK(azure::choose(left, auth).method == Method::github);
    left.github_url = "";
    CHECK(azure::choose(left, auth).method == Method::workload);
    left.federated_token_file = "";
    CHECK(azure::choose(left, auth).method == Method::app_service);
    left.identity_endpoint = left.identity_header = left.tenant = "";
    CHECK(azure::choose(left, auth).method == Method::imds);
  }
  CHECK(azure::choose({}, "").method == Method::imds);
}

TEST_CASE("a way that is named is taken, whatever else is known") {
  Known known = who();
  add_secret(known);
  add_certificate(known);
  add_github(known);
  add_workload(known);
  CHECK(azure::choose(known, "secret").method == Method::secret);
  CHECK(azure::choose(known, "certificate").method == Method::certificate);
  CHECK(azure::choose(known, "github").method == Method::github);
  CHECK(azure::choose(known, "workload").method == Method::workload);
  CHECK(azure::choose(known, "managed").method == Method::imds);
  add_app_service(known);
  CHECK(azure::choose(known, "managed").method == Method::app_service);
}

TEST_CASE("a named way tells all that it lacks, by option and variable") {
  const Known nobody;
  struct {
    Known known;
    std::string auth;
    std::string outcome;
  } const rows[] = {
      {nobody, "secret",
       "78 --auth secret needs --tenant (AZURE_TENANT_ID) and --client-id (AZURE_CLIENT_ID) and "
       "--client-secret (AZURE_CLIENT_SECRET)"},
      {with(who(),
            [](Known& known) {
              known.tenant = "";
              add_secret(known);
            }),
       "secret", "78 --auth secret needs --tenant (AZURE_TENANT_ID)"},
      {with(who(),
            [](Known& known) {
              known.client_id = "";
              add_secret(known);
            }),
       "secret", "78 --auth secret needs --client-id (AZURE_CLIENT_ID)"},
      {who(), "secret", "78 --auth secret needs --client-secret (AZURE_CLIENT_SECRET)"},
      {who(), "certificate",
       "78 --auth certificate needs --certificate (AZURE_CLIENT_CERTIFICATE_PATH)"},
      {with({}, add_certificate), "certificate",
       "78 --auth certificate needs --tenant (AZURE_TENANT_ID) and --client-id (AZURE_CLIENT_ID)"},
      {who(), "workload",
       "78 --auth workload needs --federated-token-file (AZURE_FEDERATED_TOKEN_FILE)"},
      {who(), "github",
       "78 --auth github needs ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN; it "
       "works only in a job of GitHub Actions"},
      {with(who(), [](Known& known) { known.in_actions = true; }), "github",
       "78 --auth github needs ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN; "
       "add `permissions: id-token: write` to the job"},
      {with({}, add_github), "github",
       "78 --auth github needs --tenant (AZURE_TENANT_ID) and --client-id (AZURE_CLIENT_ID)"},
      {with({}, [](Known& known) { known.identity_endpoint = "http://x"; }), "managed",
       "78 --auth managed needs IDENTITY_HEADER"},
      {nobody, "password",
       "64 --auth is auto, secret, certificate, github, workload or managed, not \"password\""},
      {nobody, "Secret\n::x",
       "64 --auth is auto, secret, certificate, github, workload or managed, not \"Secret ::x\""},
  };
  for (const auto& row : rows) CHECK(outcome(row.known, row.auth) == row.outcome);
}

TEST_CASE("a way that is half begun is not passed over for a machine's identity") {
  struct {
    std::string what;
    Known known;
    std::string part;
  } const rows[] = {
      {"a secret without a tenant",
       with(who(),
            [](Known& known) {
              known.tenant = "";
              add_secret(known);
            }),
       "78 --client-secret (AZURE_CLIENT_SECRET) is given, which needs --tenant (AZURE_TENANT_ID) "
       "too; "},
      {"a secret alone", with({}, add_secret),
       "needs --tenant (AZURE_TENANT_ID) and --client-id (AZURE_CLIENT_ID) too; "},
      {"a certificate without an app",
       with(who(),
            [](Known& known) {
              known.client_id = "";
              add_certificate(known);
            }),
       "78 --certificate (AZURE_CLIENT_CERTIFICATE_PATH) is given, which needs --client-id "
       "(AZURE_CLIENT_ID) too; "},
      {"a workload's file without a tenant",
       with(who(),
            [](Known& known) {
              known.tenant = "";
              add_workload(known);
            }),
       "78 --federated-token-file (AZURE_FEDERATED_TOKEN_FILE) is given, which needs --tenant "
       "(AZURE_TENANT_ID) too; "},
      {"Azure Arc", with({}, [](Known& known) { known.identity_endpoint = "http://x"; }),
       "78 IDENTITY_ENDPOINT is given, which needs IDENTITY_HEADER too (Azure Arc "},
      {"a header without its endpoint",
       with({}, [](Known& known) { known.identity_header = kSecretText; }),
       "78 IDENTITY_HEADER is given, which needs IDENTITY_ENDPOINT too"},
      {"nothing that proves it", who(),
       "78 --tenant (AZURE_TENANT_ID) and --client-id (AZURE_CLIENT_ID) are given, but no way to "
       "sign in: give --client-secret (AZURE_CLIENT_SECRET), --certificate "
       "(AZURE_CLIENT_CERTIFICATE_PATH) or --federated-token-file (AZURE_FEDERATED_TOKEN_FILE), or "
       "say --auth managed"},
      {"a GitHub job without the permission",
       with(who(), [](Known& known) { known.in_actions = true; }),
       "no way to sign in: add `permissions: id-token: write` to the job"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const std::string text = outcome(row.known, "");
    check_holds(text, row.part);
    CHECK(text.starts_with("78 "));
    CHECK(text.find(kSecretText) == std::string::npos);
  }
}

TEST_CASE("what does not say how to sign in leaves the machine's identity") {
  const auto machine = [](const std::function<void(Known&)>& change) {
    return azure::choose(with({}, change), "").method;
  };
  CHECK(machine([](Known& known) { known.client_id = "identity-1"; }) == Method::imds);
  CHECK(machine([](Known& known) { known.tenant = "t"; }) == Method::imds);
  CHECK(machine(add_github) == Method::imds);  // the permission may be there for something else
  CHECK(machine([](Known& known) { known.certificate_password = "p"; }) == Method::imds);
  CHECK(machine([](Known& known) {
          known = who();
          known.imds_endpoint = "http://127.0.0.1:1";
        }) == Method::imds);
  CHECK(machine([](Known& known) {
          known = who();
          add_app_service(known);
        }) == Method::app_service);
}

TEST_CASE("white space around IDs is none of theirs, a secret stays as it is") {
  Known known = who();
  known.tenant = " 72f988bf-86f1-41af-91ab-2d7cd011db47\n";
  known.client_id = "app-1\r\n";
  known.client_secret = "s \n";
  const Known chosen = azure::choose(known, "").known;
  CHECK(chosen.tenant == "72f988bf-86f1-41af-91ab-2d7cd011db47");
  CHECK(chosen.client_id == "app-1");
  CHECK(chosen.client_secret == "s \n");
  for (const char* tenant : {"a/b", "a b", "..%2f", "caf\xC3\xA9", "a?b"}) {
    CAPTURE(tenant);
    known.tenant = tenant;
    CHECK(outcome(known, "secret").starts_with("78 --tenant (AZURE_TENANT_ID) is no tenant: "));
  }
}

TEST_CASE("other ways to sign in are those that are near") {
  check_holds(azure::other_ways({}), "--client-secret (AZURE_CLIENT_SECRET)");
  Known job;
  job.in_actions = true;
  check_holds(azure::other_ways(job), "add `permissions: id-token: write`");
  add_github(job);
  check_holds(azure::other_ways(job), "give --tenant (AZURE_TENANT_ID) and --client-id");
  CHECK(azure::other_ways(job).find("permissions") == std::string::npos);
}

TEST_CASE("the JSON that azure/login takes") {
  const azure::Creds creds = azure::read_creds(
      R"({"clientId":" app-1 ","clientSecret":"s&=+% ü ","tenantId":"t-1","subscriptionId":"sub-1",
          "resourceManagerEndpointUrl":"https://management.azure.com/","galleryEndpointUrl":"x"})",
      "creds");
  CHECK(creds.client_id == "app-1");
  CHECK(creds.client_secret == "s&=+% \xC3\xBC ");
  CHECK(creds.tenant == "t-1");
  CHECK(creds.subscription == "sub-1");
  CHECK(creds.arm_endpoint == "https://management.azure.com");

  const azure::Creds least =
      azure::read_creds(R"({"clientId":"a","clientSecret":"s","tenantId":"t"})", "creds");
  CHECK(least.subscription == "");
  CHECK(least.arm_endpoint == "");
}

TEST_CASE("creds that can't be used are named without what they hold") {
  const std::string source = "--creds (AZURE_CREDENTIALS)";
  struct {
    std::string text;
    std::string failure;
  } const rows[] = {
      {"", "65 " + source},
      {"s3cr3t", "65 " + source + " is not JSON: "},
      {R"({"clientId":"app-1","clientSecret":"s3cr3t)", "65 " + source + " is not JSON: "},
      {R"({'clientSecret':'s3cr3t'})", "65 " + source + " is not JSON: "},
      {"[]", "65 " + source + " has no text as clientId and clientSecret and tenantId; "},
      {R"("s3cr3t")", "65 " + source + " has no text as clientId and clientSecret and tenantId; "},
      {R"({"clientId":"app-1","clientSecret":"s3cr3t"})",
       "65 " + source + " has no text as tenantId; "},
      {R"({"clientId":"app-1","clientSecret":"s3cr3t","tenantId":7})",
       "65 " + source + " has no text as tenantId; "},
      {R"({"clientId":" ","clientSecret":"s3cr3t","tenantId":"t"})",
       "65 " + source + " has no text as clientId; "},
      {R"({"clientId":"app-1","tenantId":"t"})", "65 " + source + " has no text as clientSecret; "},
  };
  for (const auto& row : rows) {
    const std::string text = creds_failure(row.text);
    CHECK_MESSAGE(text.starts_with(row.failure), text);
    CHECK(text.find("s3cr3t") == std::string::npos);
    CHECK(text.find("app-1") == std::string::npos);
  }
}
