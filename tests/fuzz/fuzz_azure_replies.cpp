// Azure's replies, written as "STATUS\nname: value\n\nBODY": operations, outputs, machines, tokens,
// and the texts that people bring along. Holds: the token goes to Azure only, no error holds a
// secret that a reply repeats.
#include "azure/arm.hpp"
#include "azure/credentials.hpp"
#include "azure/errors.hpp"
#include "azure/machine.hpp"
#include "azure/operation.hpp"
#include "azure/rights.hpp"
#include "azure/run_command.hpp"
#include "azure/ticket.hpp"
#include "azure/token.hpp"
#include "fuzz.hpp"
#include "net/url.hpp"

namespace {

constexpr const char* kArm = "https://management.azure.com";
constexpr const char* kSecret = "hunter2hunter2";

void refuses_safely(const std::string& why) {
  fuzz::expect(why.find(kSecret) == std::string::npos, "no error holds the secret", why);
}

void check_operation(const net::HttpResponse& reply) {
  fuzz::takes([&] {
    azure::Operation operation = azure::begin_operation(reply, kArm);
    for (int i = 0; i < 3 && !operation.is_over; ++i) {
      const std::string url = azure::next_url(operation);
      fuzz::expect(net::origin(url) == kArm, "the token goes to Azure", url);
      azure::advance(operation, reply);
    }
    azure::succeeded(operation);
    azure::operation_failure(operation.state, operation.fault);
  });
  azure::is_unclear(reply);
  azure::is_busy(reply);
  if (!azure::is_success(reply)) {
    const base::Error error = azure::refusal(reply, "start the script");
    fuzz::expect(error.code() != base::exit_our_bug, "a refusal is no defect", error.what());
  }
}

void check_body(const json::Value& body) {
  azure::read_fault(body);
  fuzz::takes([&] {
    const azure::ActionOutput output = azure::read_action_output(body);
    fuzz::expect(output.output.size() + output.errors.size() <= output.all.size(),
                 "streams are no more than all");
  });
  azure::read_managed_state(body);
  fuzz::takes([&] {
    const azure::Machine machine = azure::read_machine(body);
    const azure::Machine again = azure::machine_of_id(azure::resource_id(machine));
    fuzz::expect(azure::key_of(again) == azure::key_of(machine), "an ID comes back");
    azure::machine_path(machine);
  });
  azure::read_tags(body);
  fuzz::takes([&] {
    const azure::MachinePage page = azure::read_page(body);
    for (const json::Value& one : page.machines) fuzz::takes([&] { azure::read_machine(one); });
  });
  azure::power_state(body);
  azure::agent_state(body);
  azure::allows(body, "Microsoft.Compute/virtualMachines/runCommand/action");
}

void check_tokens(const net::HttpResponse& reply) {
  const azure::Cloud cloud{kArm, "https://login.microsoftonline.com"};
  azure::Credentials credentials;
  credentials.known.tenant = credentials.known.client_id = "11111111-2222-3333-4444-555555555555";
  credentials.known.client_secret = kSecret;
  const net::HttpRequest request = azure::secret_request(credentials.known, cloud);
  using azure::Method;
  for (const Method method : {Method::secret, Method::github, Method::imds}) {
    credentials.method = method;
    std::string why;
    azure::Token token;
    const bool is_read = fuzz::takes(
        [&] { token = azure::read_token(reply, request, credentials, 1'700'000'000); }, &why);
    if (!is_read) refuses_safely(why);
    fuzz::expect(!is_read || (!token.text.empty() && token.expires_unix_s > 1'700'000'000),
                 "a token is good");
  }
  std::string why;
  if (!fuzz::takes([&] { azure::read_github_token(reply, request); }, &why)) refuses_safely(why);
}

// No error may hold anything of it.
void check_texts(const std::string& text) {
  std::string why;
  if (!fuzz::takes([&] { azure::read_creds(text, "--creds"); }, &why)) refuses_safely(why);
  fuzz::takes([&] {
    const auto tickets = azure::read_tickets(text);
    const auto again = azure::read_tickets(azure::write_tickets(tickets));
    fuzz::expect(again.size() == tickets.size(), "tickets come back", text);
  });
  fuzz::takes([&] { azure::machine_of_id(text); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const net::HttpResponse reply = fuzz::reply_of(fuzz::text_of(data, size));
  check_operation(reply);
  check_tokens(reply);
  check_texts(reply.body);
  fuzz::takes([&] { check_body(azure::body_of(reply)); });
  return 0;
}
