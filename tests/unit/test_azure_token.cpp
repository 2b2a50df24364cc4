#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "azure/token.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "json/read.hpp"
#include "net/base64.hpp"
#include "net/url.hpp"

namespace {

using azure::Known;
using azure::Method;

constexpr int64_t kNow = 1'700'000'000;
constexpr const char* kSecretText = "s3cr3t&=+% \xC3\xBC";
constexpr const char* kSecretEncoded = "s3cr3t%26%3D%2B%25%20%C3%BC";

const azure::Cloud kCloud{"https://management.azure.com", "https://login.microsoftonline.com"};

Known known() {
  Known known;
  known.tenant = "contoso.example";
  known.client_id = "app-1";
  known.client_secret = kSecretText;
  known.github_url = "https://token.example/x?api-version=2";
  known.github_token = kSecretText;
  known.identity_endpoint = "http://127.0.0.1:41741/msi/token/";
  known.identity_header = kSecretText;
  return known;
}

net::HttpRequest request_of(Method method) {
  switch (method) {
    case Method::secret:
      return azure::secret_request(known(), kCloud);
    case Method::certificate:
    case Method::github:
    case Method::workload:
      return azure::assertion_request(known(), kCloud, kSecretText);
    case Method::app_service:
      return azure::app_service_request(known(), kCloud);
    case Method::imds:
      break;
  }
  return azure::imds_request(known(), kCloud);
}

azure::Token read(Method method, const net::HttpResponse& reply) {
  return azure::read_token(reply, request_of(method), {method, known()}, kNow);
}

// "CODE TEXT" of the error.
std::string failure(Method method, const net::HttpResponse& reply) {
  try {
    read(method, reply);
  } catch (const base::Error& error) {
    return std::to_string(int{error.code()}) + " " + error.what();
  }
  return "no error";
}

std::string github_failure(const net::HttpResponse& reply) {
  try {
    azure::read_github_token(reply, azure::github_request(known()));
  } catch (const base::Error& error) {
    return std::to_string(int{error.code()}) + " " + error.what();
  }
  return "no error";
}

void check_starts(const std::string& text, const std::string& start) {
  CHECK_MESSAGE(text.starts_with(start), text);
}

void check_holds(const std::string& text, const std::string& part) {
  CHECK_MESSAGE(text.find(part) != std::string::npos, text);
}

}  // namespace

TEST_CASE("Entra is asked with a secret, whatever characters it has") {
  const net::HttpRequest request = azure::secret_request(known(), kCloud);
  CHECK(request.method == "POST");
  CHECK(request.url == "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token");
  CHECK(request.headers == net::Headers{{"Content-Type", "application/x-www-form-urlencoded"},
                                        {"Accept", "application/json"}});
  CHECK(request.body ==
        std::string("grant_type=client_credentials&client_id=app-1&client_secret=") +
            kSecretEncoded + "&scope=https%3A%2F%2Fmanagement.azure.com%2F.default");
  CHECK(net::form_fields(request.body).at("client_secret") == kSecretText);
  CHECK(request.repeatable);
  CHECK(request.timeout_ms == 30'000);
}

TEST_CASE("Entra is asked with an assertion") {
  const net::HttpRequest request = azure::assertion_request(known(), kCloud, "a.b+c");
  CHECK(request.method == "POST");
  CHECK(request.url == "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token");
  CHECK(request.body ==
        "grant_type=client_credentials&client_id=app-1&client_assertion_type="
        "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=a.b%2Bc"
        "&scope=https%3A%2F%2Fmanagement.azure.com%2F.default");
  CHECK(request.repeatable);
}

TEST_CASE("slashes at the end of the cloud's addresses do not double") {
  const azure::Cloud cloud{"http://127.0.0.1:1/", "http://127.0.0.1:2/"};
  const net::HttpRequest request = azure::secret_request(known(), cloud);
  CHECK(request.url == "http://127.0.0.1:2/contoso.example/oauth2/v2.0/token");
  CHECK(net::form_fields(request.body).at("scope") == "http://127.0.0.1:1/.default");
}

TEST_CASE("GitHub is asked for a token that Entra takes") {
  const net::HttpRequest request = azure::github_request(known());
  CHECK(request.method == "GET");
  CHECK(request.url ==
        "https://token.example/x?api-version=2&audience=api%3A%2F%2FAzureADTokenExchange");
  CHECK(request.headers == net::Headers{{"Authorization", std::string("Bearer ") + kSecretText},
                                        {"Accept", "application/json"}});
  CHECK(request.repeatable);
  CHECK(request.body == "");
}

TEST_CASE("managed identities are asked, with and without a client ID") {
  Known any = known();
  any.client_id = "";
  const net::HttpRequest app = azure::app_service_request(known(), kCloud);
  CHECK(app.method == "GET");
  CHECK(app.url ==
        "http://127.0.0.1:41741/msi/token/?api-version=2019-08-01"
        "&resource=https%3A%2F%2Fmanagement.azure.com&client_id=app-1");
  CHECK(app.headers ==
        net::Headers{{"X-IDENTITY-HEADER", kSecretText}, {"Accept", "application/json"}});
  CHECK(app.repeatable);
  CHECK(app.timeout_ms == 30'000);
  CHECK(azure::app_service_request(any, kCloud).url ==
        "http://127.0.0.1:41741/msi/token/?api-version=2019-08-01"
        "&resource=https%3A%2F%2Fmanagement.azure.com");

  const net::HttpRequest imds = azure::imds_request(known(), kCloud);
  CHECK(imds.direct);
  CHECK(imds.method == "GET");
  CHECK(imds.url ==
        "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"
        "&resource=https%3A%2F%2Fmanagement.azure.com&client_id=app-1");
  CHECK(imds.headers == net::Headers{{"Metadata", "true"}, {"Accept", "application/json"}});
  CHECK(imds.repeatable);
  CHECK(imds.timeout_ms == 5'000);
  any.imds_endpoint = "http://127.0.0.1:3/";
  CHECK(azure::imds_request(any, kCloud).url ==
        "http://127.0.0.1:3/metadata/identity/oauth2/token?api-version=2018-02-01"
        "&resource=https%3A%2F%2Fmanagement.azure.com");
}

TEST_CASE("a certificate's assertion is a JWT with these members") {
  const std::string text = base::read_file(std::string(FIXTURES) + "/azure/for_tests_only_rsa.pem",
                                           1 << 20, "a fixture");
  const net::Certificate certificate = net::read_certificate({text, "x", "", ""});
  const std::string jwt =
      azure::certificate_assertion(certificate, "app-1", "https://a/t", kNow, "never-again");
  const std::vector<std::string> parts = base::split(jwt, '.');
  REQUIRE(parts.size() == 3);
  CHECK(net::from_base64(parts[0]).value_or("") ==
        R"({"alg":"PS256","typ":"JWT","x5t#S256":"8z4DmfoXchKsEILO4EwMDHtsIiAIjRQJeuJGzGpDchk"})");
  CHECK(net::from_base64(parts[1]).value_or("") ==
        R"({"aud":"https://a/t","iss":"app-1","sub":"app-1","jti":"never-again",)"
        R"("iat":1700000000,"nbf":1700000000,"exp":1700000600})");
  CHECK(net::from_base64(parts[2]).value_or("").size() == 256);
  CHECK(jwt.find_first_of("+/=") == std::string::npos);
}

TEST_CASE("a token lives as long as the reply says, in whatever form") {
  struct {
    std::string members;
    int64_t expires_unix_s;
  } const rows[] = {
      {R"("expires_in":3599)", kNow + 3'599},
      {R"("expires_in":"3599")", kNow + 3'599},
      {R"("expires_in":3599.9)", kNow + 3'599},
      {R"("expires_on":1700000060)", kNow + 60},
      {R"("expires_on":"1700000060")", kNow + 60},
      {R"("expires_in":"60","expires_on":"1690000000")", kNow + 60},  // a clock may be wrong
      {R"("expires_in":"soon","expires_on":1700000060)", kNow + 60},
      {R"("expires_in":9e14)", kNow + int64_t{10} * 365 * 86'400},
  };
  for (const auto& row : rows) {
    CAPTURE(row.members);
    const std::string body = R"({"token_type":"Bearer","access_token":"eyJ",)" + row.members + "}";
    for (const Method method : {Method::secret, Method::imds}) {
      const azure::Token token = read(method, {200, {}, body});
      CHECK(token.text == "eyJ");
      CHECK(token.expires_unix_s == row.expires_unix_s);
    }
  }
}

TEST_CASE("what is no token is none") {
  const net::HttpResponse replies[] = {
      {200, {}, ""},
      {200, {}, "<html>"},
      {200, {}, "[]"},
      {200, {}, R"({"access_token":"eyJ"})"},
      {200, {}, R"({"access_token":"","expires_in":60})"},
      {200, {}, R"({"access_token":7,"expires_in":60})"},
      {200, {}, R"({"expires_in":60})"},
      {200, {}, R"({"access_token":"eyJ","expires_in":"x"})"},
      {200, {}, R"({"access_token":"eyJ","expires_in":-1})"},
      {200, {}, R"({"access_token":"eyJ","expires_in":0})"},
      {200, {}, R"({"access_token":"eyJ","expires_on":"1699999999"})"},
      {204, {}, ""},
      {302, {}, ""},
  };
  for (const net::HttpResponse& reply : replies) {
    CAPTURE(reply.body);
    for (const Method method :
         {Method::secret, Method::github, Method::app_service, Method::imds}) {
      const std::string text = failure(method, reply);
      check_starts(text, "76 signing in: ");
      CHECK(text.find("eyJ") == std::string::npos);
    }
  }
}

TEST_CASE("Entra's no is told in its own words, the first line of them") {
  const std::string body =
      R"({"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret )"
      R"(provided.\r\nTrace ID: 1\r\nTimestamp: 2","error_codes":[7000215]})";
  CHECK(failure(Method::secret, {401, {}, body}) ==
        "77 Microsoft Entra refuses to sign in by secret (HTTP 401): invalid_client: "
        "AADSTS7000215: Invalid client secret provided.; check --client-id, --tenant and whether "
        "the secret has expired");
  struct {
    Method method;
    net::HttpResponse reply;
    std::string start;
    std::string part;
  } const rows[] = {
      {Method::certificate,
       {400, {}, body},
       "77 Microsoft Entra refuses to sign in by certificate "
       "(HTTP 400): invalid_client: AADSTS",
       "this certificate is one of the app's"},
      {Method::github,
       {401, {}, body},
       "77 ",
       "federated credential of the app names this "
       "repository"},
      {Method::workload, {401, {}, body}, "77 ", "issuer and service account"},
      {Method::secret,
       {403, {}, ""},
       "77 Microsoft Entra refuses to sign in by secret (HTTP 403); ",
       "check"},
      {Method::secret, {429, {}, ""}, "75 signing in: Microsoft Entra answers HTTP 429; ", "later"},
      {Method::secret, {408, {}, ""}, "75 ", "HTTP 408"},
      {Method::secret,
       {503, {}, R"({"error":"temporarily_unavailable"})"},
       "75 signing in: Microsoft Entra answers HTTP 503: temporarily_unavailable; ",
       "later"},
      {Method::secret, {404, {}, "<html>"}, "76 ", "check the address"},
      {Method::secret,
       {400, {}, R"({"error":"x","error_description":"a\u001b[31m\u202eb"})"},
       "77 Microsoft Entra refuses to sign in by secret (HTTP 400): x: a[31mb; ",
       "check"},
  };
  for (const auto& row : rows) {
    const std::string text = failure(row.method, row.reply);
    check_starts(text, row.start);
    check_holds(text, row.part);
  }
  const std::string endless = R"({"error":")" + std::string(5'000, 'x') + R"("})";
  CHECK(failure(Method::secret, {400, {}, endless}).size() < 700);
}

TEST_CASE("a secret with white space at its end is suspected") {
  azure::Credentials credentials{Method::secret, known()};
  credentials.known.client_secret = "abc\n";
  const net::HttpRequest request = azure::secret_request(credentials.known, kCloud);
  CHECK_THROWS_WITH_AS(azure::read_token({401, {}, ""}, request, credentials, kNow),
                       doctest::Contains("white space at one end"), base::Error);
}

TEST_CASE("a secret is hidden as it is shown: in one line, without what can't be seen") {
  azure::Credentials credentials{Method::secret, known()};
  credentials.known.client_secret = "s3cr3t\n";
  const net::HttpRequest request = azure::secret_request(credentials.known, kCloud);
  const std::string echo = R"({"error":"s3c\u001br3t","error_description":"s3cr3t\nand more"})";
  CHECK_THROWS_WITH_AS(azure::read_token({401, {}, echo}, request, credentials, kNow),
                       doctest::Contains(": ***: ***; "), base::Error);
}

TEST_CASE("a managed identity that is not there is no fault of the network's") {
  const std::string none =
      R"({"error":"invalid_request","error_description":"Identity not found"})";
  const std::string app = R"({"statusCode":400,"message":"No managed identity found"})";
  struct {
    Method method;
    net::HttpResponse reply;
    std::string start;
  } const rows[] = {
      {Method::imds,
       {400, {}, none},
       "78 no managed identity with that --client-id (AZURE_CLIENT_ID) is assigned to this machine "
       "(HTTP 400): invalid_request: Identity not found; assign one in Azure, else sign in by "},
      {Method::imds, {404, {}, "<html>"}, "78 no managed identity "},
      {Method::imds, {401, {}, ""}, "78 no managed identity "},  // another cloud's machine
      {Method::imds, {403, {}, "unreachable"}, "78 no managed identity "},
      {Method::imds,
       {410, {}, ""},
       "75 signing in: the managed identity's endpoint answers HTTP 410; "},
      {Method::imds, {500, {}, none}, "75 "},
      {Method::app_service,
       {400, {}, app},
       "78 no managed identity with that --client-id (AZURE_CLIENT_ID) is assigned to this app "
       "(HTTP 400): No managed identity found; "},
      {Method::app_service, {404, {}, ""}, "78 "},
      {Method::app_service, {401, {}, ""}, "77 the App Service's managed identity gives no token"},
      {Method::app_service, {403, {}, ""}, "77 "},
      {Method::app_service, {429, {}, ""}, "75 "},
  };
  for (const auto& row : rows) check_starts(failure(row.method, row.reply), row.start);

  azure::Credentials any{Method::imds, known()};
  any.known.client_id = "";
  CHECK_THROWS_WITH_AS(
      azure::read_token({400, {}, none}, azure::imds_request(any.known, kCloud), any, kNow),
      doctest::Contains("no managed identity is assigned to this machine"), base::Error);
}

TEST_CASE("GitHub's token, and what it says instead") {
  CHECK(azure::read_github_token({200, {}, R"({"count":9,"value":"eyJ"})"}, {}) == "eyJ");
  check_starts(github_failure({401, {}, R"({"message":"Bad credentials"})"}),
               "77 GitHub gives this job no OIDC token (HTTP 401): Bad credentials; check");
  check_starts(github_failure({403, {}, ""}), "77 ");
  check_starts(github_failure({404, {}, ""}), "77 ");
  check_starts(github_failure({500, {}, ""}), "75 signing in: GitHub answers HTTP 500; ");
  check_starts(github_failure({429, {}, ""}), "75 ");
  check_starts(github_failure({302, {}, ""}), "76 ");
  for (const char* body : {"", "{}", "eyJ", R"({"value":""})", R"({"value":{"x":"eyJ"}})"}) {
    const std::string text = github_failure({200, {}, body});
    check_starts(text, "76 signing in: the reply of https://token.example holds no OIDC token");
    CHECK(text.find("eyJ") == std::string::npos);
  }
}

TEST_CASE("a secret is in no error, even if the reply repeats it") {
  const std::string echo = std::string(R"({"error":")") + kSecretText +
                           R"(","error_description":"client_secret=)" + kSecretEncoded + " " +
                           kSecretText + R"("})";
  for (const int status : {400, 401, 404, 429, 500}) {
    CAPTURE(status);
    for (const Method method : {Method::secret, Method::certificate, Method::github,
                                Method::workload, Method::app_service}) {
      const std::string text = failure(method, {status, {}, echo});
      CHECK_MESSAGE(text.find("s3cr3t") == std::string::npos, text);
      check_holds(text, "***");
    }
    CHECK(github_failure({status, {}, echo}).find("s3cr3t") == std::string::npos);
  }
}
