#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "azure/sign_in.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "json/read.hpp"
#include "net/base64.hpp"
#include "net/url.hpp"

namespace {

using azure::Known;
using azure::Method;

constexpr int64_t kStart = 1'700'000'000;

const azure::Cloud kCloud{"https://management.azure.com", "https://login.microsoftonline.com"};

// A reply, or an error when the status is 0.
struct Outcome {
  net::HttpResponse reply;
  base::ExitCode code = base::exit_unavailable;
  bool safe_to_retry = true;
};

const Outcome kUnreached{};
const Outcome kNoReply{.reply = {}, .code = base::exit_retries_spent, .safe_to_retry = false};
const Outcome kReset{.reply = {}, .code = base::exit_malformed_reply, .safe_to_retry = false};

Outcome reply(int status, const std::string& body = "", const net::Headers& headers = {}) {
  return {.reply = {status, headers, body}};
}

// With the number of the request instead of #.
Outcome token_for(int64_t life_s) {
  return reply(200, R"({"access_token":"token-#","expires_in":)" + std::to_string(life_s) + "}");
}

Known known() {
  Known known;
  known.tenant = "contoso.example";
  known.client_id = "app-1";
  known.client_secret = "s3cr3t&=+% \xC3\xBC";
  return known;
}

// Whoever gives tokens, by a script whose last line repeats, and a clock that only sleep moves.
struct Stage {
  std::vector<Outcome> script;
  std::vector<net::HttpRequest> requests;
  int64_t now_ms = 0;
  std::vector<int64_t> slept_ms;
  std::vector<std::string> told;
  std::vector<std::string> secrets;
  int64_t budget_ms = 60'000;

  explicit Stage(std::vector<Outcome> outcomes) : script(std::move(outcomes)) {}

  net::HttpResponse answer(const net::HttpRequest& request) {
    const Outcome& outcome = script[std::min(requests.size(), script.size() - 1)];
    requests.push_back(request);
    if (outcome.reply.status == 0) {
      throw net::HttpError(outcome.code, "no luck with " + net::origin(request.url),
                           outcome.safe_to_retry);
    }
    net::HttpResponse response = outcome.reply;
    const size_t mark = response.body.find('#');
    if (mark != std::string::npos) {
      response.body.replace(mark, 1, std::to_string(requests.size()));
    }
    return response;
  }

  azure::TokenLine line() {
    azure::TokenLine line;
    line.http = [this](const net::HttpRequest& request) { return answer(request); };
    line.clock = {[this] { return now_ms; }, [this] { return kStart + now_ms / 1000; },
                  [this](int64_t ms) {
                    slept_ms.push_back(ms);
                    now_ms += ms;
                  }};
    line.retry_budget_ms = budget_ms;
    line.on_wait = [this](const std::string& reason, int64_t wait_ms) {
      told.push_back(reason + " / " + std::to_string(wait_ms));
    };
    line.on_secret = [this](const std::string& secret) { secrets.push_back(secret); };
    line.new_jti = [this] { return "jti-" + std::to_string(requests.size()); };
    return line;
  }
};

// "CODE TEXT" of the error, or the token.
std::string outcome(azure::TokenSource& source) {
  try {
    return source.token();
  } catch (const base::Error& error) {
    return std::to_string(int{error.code()}) + " " + error.what();
  }
}

std::string outcome(Stage& stage, Method method, const Known& known) {
  azure::TokenSource source({method, known}, kCloud, stage.line());
  return outcome(source);
}

void check_starts(const std::string& text, const std::string& start) {
  CHECK_MESSAGE(text.starts_with(start), text);
}

// A file with that text, gone at the end.
struct TemporaryFile {
  std::string path = "/tmp/test-azure-XXXXXX";
  explicit TemporaryFile(const std::string& text) {
    const int fd = ::mkstemp(path.data());
    REQUIRE(fd >= 0);
    ::close(fd);
    base::append_to_file(path, text);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { ::unlink(path.c_str()); }
  void become(const std::string& text) const {
    REQUIRE(::truncate(path.c_str(), 0) == 0);
    base::append_to_file(path, text);
  }
};

using Texts = std::vector<std::string>;
using Times = std::vector<int64_t>;

}  // namespace

TEST_CASE("signing in by secret") {
  Stage stage({token_for(3'600)});
  CHECK(outcome(stage, Method::secret, known()) == "token-1");
  REQUIRE(stage.requests.size() == 1);
  CHECK(stage.requests[0].body == azure::secret_request(known(), kCloud).body);
  CHECK(stage.secrets == Texts{"token-1"});
  CHECK(stage.told.empty());
}

TEST_CASE("signing in by certificate signs anew each time") {
  Known who = known();
  who.certificate_file = std::string(FIXTURES) + "/azure/for_tests_only_encrypted.pem";
  who.certificate_password = "for tests only";
  Stage stage({token_for(3'600)});
  azure::TokenSource source({Method::certificate, who}, kCloud, stage.line());
  CHECK(source.token() == "token-1");
  source.refused("token-1");
  CHECK(source.token() == "token-2");
  REQUIRE(stage.requests.size() == 2);
  for (size_t at = 0; at < 2; ++at) {
    const std::string jwt = net::form_fields(stage.requests[at].body).at("client_assertion");
    CHECK(stage.secrets[2 * at] == jwt);
    const size_t first = jwt.find('.') + 1;
    const auto claims = net::from_base64(jwt.substr(first, jwt.rfind('.') - first));
    const json::Value value = json::parse(claims.value_or(""), "the claims");
    CHECK(json::string_at(value, "aud") == stage.requests[at].url);
    CHECK(json::string_at(value, "iss") == "app-1");
    CHECK(json::string_at(value, "jti") == "jti-" + std::to_string(at));
  }
}

TEST_CASE("a certificate that can't be used is told before anything is sent") {
  struct {
    std::string file;
    std::string password;
    std::string failure;
  } const rows[] = {
      {"/nowhere/cert.pem", "", "66 can't read the certificate from /nowhere/cert.pem: "},
      {std::string(FIXTURES) + "/azure/for_tests_only_encrypted.pem", "",
       "78 the certificate in " + std::string(FIXTURES) +
           "/azure/for_tests_only_encrypted.pem has an encrypted key; give its password by "
           "--certificate-password (AZURE_CLIENT_CERTIFICATE_PASSWORD)"},
      {std::string(FIXTURES) + "/azure/for_tests_only_encrypted.pem", "guess", "78 "},
      {std::string(FIXTURES) + "/azure/for_tests_only_ec.pem", "", "78 "},
  };
  for (const auto& row : rows) {
    Known who = known();
    who.certificate_file = row.file;
    who.certificate_password = row.password;
    Stage stage({token_for(3'600)});
    std::string text;
    try {
      const azure::TokenSource source({Method::certificate, who}, kCloud, stage.line());
    } catch (const base::Error& error) {
      text = std::to_string(int{error.code()}) + " " + error.what();
    }
    check_starts(text, row.failure);
    CHECK(text.find("guess") == std::string::npos);
    CHECK(stage.requests.empty());
  }
}

TEST_CASE("signing in by GitHub's token takes two steps, both each time") {
  Known who = known();
  who.client_secret = "";
  who.github_url = "https://token.example/x?a=b";
  who.github_token = "runner-1";
  const Outcome id = reply(200, R"({"value":"id-#"})");
  Stage stage({id, token_for(3'600), id, token_for(3'600)});
  azure::TokenSource source({Method::github, who}, kCloud, stage.line());
  CHECK(source.token() == "token-2");
  source.refused("token-2");
  CHECK(source.token() == "token-4");
  REQUIRE(stage.requests.size() == 4);
  CHECK(stage.requests[0].url == azure::github_request(who).url);
  CHECK(stage.requests[1].body == azure::assertion_request(who, kCloud, "id-1").body);
  CHECK(stage.requests[3].body == azure::assertion_request(who, kCloud, "id-3").body);
  CHECK(stage.secrets == Texts{"id-1", "token-2", "id-3", "token-4"});

  Stage refusing({reply(403, "")});
  check_starts(outcome(refusing, Method::github, who), "77 GitHub gives this job no OIDC token");
  CHECK(refusing.requests.size() == 1);
}

TEST_CASE("signing in by a workload's file reads it anew, as it is replaced") {
  const TemporaryFile file("file-1\n");
  Known who = known();
  who.federated_token_file = file.path;
  Stage stage({token_for(3'600)});
  azure::TokenSource source({Method::workload, who}, kCloud, stage.line());
  CHECK(source.token() == "token-1");
  file.become("file-2\n");
  source.refused("token-1");
  CHECK(source.token() == "token-2");
  CHECK(net::form_fields(stage.requests[0].body).at("client_assertion") == "file-1");
  CHECK(net::form_fields(stage.requests[1].body).at("client_assertion") == "file-2");
  CHECK(stage.secrets == Texts{"file-1", "token-1", "file-2", "token-2"});

  source.refused("token-2");
  file.become(" \n");
  check_starts(outcome(source),
               "66 the workload identity's token in " + file.path + " is empty; check ");
  who.federated_token_file = "/nowhere/token";
  CHECK(outcome(stage, Method::workload, who) ==
        "66 can't read the workload identity's token from /nowhere/token: No such file or "
        "directory");
  CHECK(stage.requests.size() == 2);
}

TEST_CASE("signing in by managed identity") {
  Known who;
  who.identity_endpoint = "http://127.0.0.1:1/msi";
  who.identity_header = "header-1";
  Stage app({reply(200, R"({"access_token":"token-#","expires_on":"1700003600"})")});
  CHECK(outcome(app, Method::app_service, who) == "token-1");
  CHECK(app.requests[0].url == azure::app_service_request(who, kCloud).url);

  Stage imds({reply(200, R"({"access_token":"token-#","expires_in":"3600"})")});
  CHECK(outcome(imds, Method::imds, {}) == "token-1");
  CHECK(imds.requests[0].url == azure::imds_request({}, kCloud).url);
}

TEST_CASE("a machine without a managed identity is told at once, with the other ways") {
  for (const Outcome& nobody : {kUnreached, kNoReply}) {
    Stage stage({nobody});
    const std::string text = outcome(stage, Method::imds, {});
    check_starts(text,
                 "78 this machine has no managed identity: no luck with "
                 "http://169.254.169.254; else sign in by --tenant (AZURE_TENANT_ID)");
    CHECK(stage.requests.size() == 1);
    CHECK(stage.slept_ms.empty());
  }
  Stage none({reply(400, R"({"error":"invalid_request"})")});
  check_starts(outcome(none, Method::imds, {}), "78 no managed identity is assigned");
  CHECK(none.requests.size() == 1);
}

TEST_CASE("a managed identity that was there before, or is busy, is asked again") {
  Stage busy({reply(410), reply(429), kUnreached, token_for(3'600), kUnreached, token_for(3'600)});
  azure::TokenSource source({Method::imds, {}}, kCloud, busy.line());
  CHECK(source.token() == "token-4");
  CHECK(busy.slept_ms == Times{1'000, 2'000, 4'000});
  source.refused("token-4");
  CHECK(source.token() == "token-6");
}

TEST_CASE("what may pass is tried again, within the budget") {
  struct {
    std::string what;
    std::vector<Outcome> script;
    std::string outcome;
    Times slept_ms;
  } const rows[] = {
      {"429 with a wait",
       {reply(429, "", {{"retry-after", "7"}}), token_for(60)},
       "token-2",
       {7'000}},
      {"429 with ms",
       {reply(429, "", {{"x-ms-retry-after-ms", "150"}}), token_for(60)},
       "token-2",
       {150}},
      {"408", {reply(408), token_for(60)}, "token-2", {1'000}},
      {"5xx",
       {reply(500), reply(502), reply(503), reply(504), token_for(60)},
       "token-5",
       {1'000, 2'000, 4'000, 8'000}},
      {"the network",
       {kUnreached, kNoReply, kReset, token_for(60)},
       "token-4",
       {1'000, 2'000, 4'000}},
      {"too long a wait", {reply(429, "", {{"retry-after", "61"}})}, "75 signing in: ", {}},
      {"a no", {reply(401, "{}"), token_for(60)}, "77 ", {}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Stage stage(row.script);
    check_starts(outcome(stage, Method::secret, known()), row.outcome);
    CHECK(stage.slept_ms == row.slept_ms);
  }
  Stage down({reply(503)});
  check_starts(outcome(down, Method::secret, known()), "75 signing in: Microsoft Entra answers ");
  Stage away({kUnreached});
  check_starts(outcome(away, Method::secret, known()), "69 no luck");
  CHECK(away.told.front() == "signing in: no luck with https://login.microsoftonline.com / 1000");
  Stage hurried({reply(503), token_for(60)});
  hurried.budget_ms = 0;
  check_starts(outcome(hurried, Method::secret, known()), "75 ");
}

TEST_CASE("who stops during a wait is obeyed, and nobody needs to listen") {
  Stage stage({reply(503), token_for(60)});
  azure::TokenLine line = stage.line();
  line.on_wait = [](const std::string&, int64_t) {
    throw base::Error(base::exit_interrupted, "stopped");
  };
  azure::TokenSource stopped({Method::secret, known()}, kCloud, line);
  CHECK(outcome(stopped) == "130 stopped");

  Stage again({reply(503), token_for(60)});
  line = again.line();
  line.on_wait = nullptr;
  line.on_secret = nullptr;
  azure::TokenSource silent({Method::secret, known()}, kCloud, line);
  CHECK(outcome(silent) == "token-2");
}

TEST_CASE("a run of 90 minutes with tokens of 60 always has one for 5 minutes more") {
  Stage stage({token_for(3'600)});
  azure::TokenSource source({Method::secret, known()}, kCloud, stage.line());
  Times fetched_s;
  for (int64_t now_s = 0; now_s <= 5'400; now_s += 10) {
    stage.now_ms = now_s * 1'000;
    const size_t before = stage.requests.size();
    const std::string token = source.token();
    if (stage.requests.size() != before) fetched_s.push_back(now_s);
    CHECK(token == "token-" + std::to_string(fetched_s.size()));
    CHECK(fetched_s.back() + 3'600 - now_s >= 300);
  }
  CHECK(fetched_s == Times{0, 3'300});
}

TEST_CASE("a short token is used for half of its life") {
  struct {
    int64_t life_s;
    int64_t renewed_s;
  } const rows[] = {{600, 300}, {599, 300}, {60, 30}, {1, 1}, {86'400, 86'100}};
  for (const auto& row : rows) {
    CAPTURE(row.life_s);
    Stage stage({token_for(row.life_s)});
    azure::TokenSource source({Method::secret, known()}, kCloud, stage.line());
    CHECK(source.token() == "token-1");
    stage.now_ms = (row.renewed_s - 1) * 1'000;
    CHECK(source.token() == "token-1");
    stage.now_ms = row.renewed_s * 1'000;
    CHECK(source.token() == "token-2");
  }
}

TEST_CASE("a refused token is forgotten, but not the one that came after it") {
  Stage stage({token_for(3'600)});
  azure::TokenSource source({Method::secret, known()}, kCloud, stage.line());
  source.refused("token-0");
  CHECK(source.token() == "token-1");
  source.refused("token-0");
  CHECK(source.token() == "token-1");
  source.refused("token-1");
  source.refused("token-1");  // by a second worker, at the same time
  CHECK(source.token() == "token-2");
  source.refused("token-1");  // by a third, late
  CHECK(source.token() == "token-2");
  CHECK(stage.requests.size() == 2);
}

TEST_CASE("after a failure many who wait get the same error, and half a minute later one tries") {
  Stage stage({reply(401, "{}"), token_for(3'600)});
  azure::TokenSource source({Method::secret, known()}, kCloud, stage.line());
  check_starts(outcome(source), "77 ");
  check_starts(outcome(source), "77 ");
  CHECK(stage.requests.size() == 1);
  stage.now_ms += int64_t{31} * 1'000;
  CHECK(source.token() == "token-2");
}

TEST_CASE("a token that can't be renewed is used as long as it lives") {
  Stage stage({token_for(3'600), reply(401, "{}")});
  azure::TokenSource source({Method::secret, known()}, kCloud, stage.line());
  CHECK(source.token() == "token-1");
  stage.now_ms += int64_t{3'400} * 1'000;
  CHECK(source.token() == "token-1");
  CHECK(stage.requests.size() == 2);
  stage.now_ms += int64_t{100} * 1'000;
  CHECK(source.token() == "token-1");
  stage.now_ms += int64_t{150} * 1'000;
  check_starts(outcome(source), "77 ");
}

TEST_CASE("many workers fetch one token") {
  Stage stage({token_for(3'600)});
  azure::TokenSource source({Method::secret, known()}, kCloud, stage.line());
  std::vector<std::string> tokens(8);
  std::vector<std::thread> workers;
  workers.reserve(tokens.size());
  for (std::string& token : tokens) {
    workers.emplace_back([&source, &token] { token = source.token(); });
  }
  for (std::thread& worker : workers) worker.join();
  CHECK(tokens == Texts(8, "token-1"));
  CHECK(stage.requests.size() == 1);
}

TEST_CASE("a secret is in no error and no word for who watches") {
  Stage stage({kUnreached, reply(503, R"({"error":"s3cr3t&=+% ü"})"),
               reply(401, R"({"error":"s3cr3t&=+% ü"})")});
  const std::string text = outcome(stage, Method::secret, known());
  check_starts(text, "77 Microsoft Entra refuses to sign in by secret (HTTP 401): ***; ");
  for (const std::string& told : stage.told) CHECK(told.find("s3cr3t") == std::string::npos);
  CHECK(stage.told.size() == 2);
}
