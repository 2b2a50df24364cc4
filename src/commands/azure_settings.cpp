// What azure-run's options mean; see azure_options.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/file.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/azure_options.hpp"
#include "commands/clear_text.hpp"
#include "commands/report.hpp"
#include "net/url.hpp"

namespace commands {

namespace {

constexpr size_t kMostScriptBytes = size_t{1} << 20U;  // Azure's own limit is told by wrap()
constexpr size_t kMostCredsBytes = size_t{1} << 16U;
constexpr const char* kRunCommands[] = {azure::kRunShell, azure::kRunPowerShell};

std::string read_url(const Options& options, const std::string& name) {
  const std::string url = base::trim(options.text(name));
  if (!url.empty() && !net::is_http_url(url)) {
    throw options.wrong_value(name, "an http or https URL");
  }
  return azure::without_slash(url);
}

void warn_of_secrets(const Options& options) {
  constexpr std::pair<const char*, const char*> kSecrets[] = {
      {"client-secret", "AZURE_CLIENT_SECRET"},
      {"certificate-password", "AZURE_CLIENT_CERTIFICATE_PASSWORD"},
      {"creds", "AZURE_CREDENTIALS"},
      {"run-as-password", "AZURE_RUN_AS_PASSWORD"}};
  for (const auto& [name, variable] : kSecrets) {
    const bool is_shown =
        options.source(name) == Source::flag && !options.text(name).starts_with('@');
    if (!is_shown) continue;
    report_notice(options.env(), kAzureRun,
                  fmt::format("--{} on the command line can be read by others on this machine; set "
                              "{} instead",
                              name, variable));
  }
}

// Of what holds a stored secret the one given most directly: flag, then input, then environment;
// of several from the environment the first. "" when there is none, or --auth names another way.
std::string nearest_secret(const Options& options, const std::string& auth) {
  std::vector<std::string> names = {"client-secret", "certificate", "creds"};
  if (auth == "secret") names = {"client-secret", "creds"};
  if (auth == "certificate" || auth == "creds") names = {auth};
  if (auth == "github" || auth == "workload" || auth == "managed") names.clear();
  std::string nearest;
  for (const std::string& name : names) {
    if (!options.is_on(name)) continue;
    const bool is_first = nearest.empty() || options.source(name) > options.source(nearest);
    const bool is_equal = !nearest.empty() && options.source(name) == options.source(nearest);
    if (is_equal && options.is_given(name)) {
      throw base::Error(
          base::exit_usage,
          fmt::format("--{} and --{} can't go together; drop one of them", nearest, name));
    }
    if (is_first) nearest = name;
  }
  return nearest;
}

azure::Cloud read_cloud(const Options& options, const azure::Cloud& of_creds) {
  const std::optional<azure::Cloud> known = azure::cloud_named(base::trim(options.text("cloud")));
  if (!known) throw options.wrong_value("cloud", "public, usgov or china");
  azure::Cloud cloud = *known;
  const std::string arm = read_url(options, "arm-endpoint");
  const std::string authority = read_url(options, "authority");
  const bool may_be_other = options.source("cloud") == Source::fallback;
  if (may_be_other && !of_creds.arm.empty()) cloud.arm = of_creds.arm;
  if (may_be_other && !of_creds.authority.empty()) cloud.authority = of_creds.authority;
  if (!arm.empty()) cloud.arm = arm;
  if (!authority.empty()) cloud.authority = authority;
  return cloud;
}

// "@FILE" stands for the file's text, as in az.
std::string with_file(const std::string& text, const std::string& what, size_t most_bytes) {
  if (!text.starts_with('@') || text.find('\n') != std::string::npos) return text;
  if (text == "@") {
    throw base::Error(base::exit_usage, fmt::format("@ names no file with {}", what));
  }
  return base::read_file(text.substr(1), most_bytes, what);
}

std::string read_script(const Options& options) {
  std::vector<std::string> lines;
  for (const std::string& line : options.values("scripts")) {
    lines.push_back(with_file(line, "the script", kMostScriptBytes));
  }
  if (!lines.empty()) return base::join(lines, "\n");
  const std::string path = options.text("script-file");
  return path.empty() ? "" : base::read_file(path, kMostScriptBytes, "the script");
}

std::vector<azure::Parameter> read_parameters(const Options& options) {
  std::vector<azure::Parameter> parameters;
  for (const std::string& word : options.list("parameters")) {
    const size_t equal = word.find('=');
    if (equal == std::string::npos || equal == 0) {
      parameters.push_back({"", word});
    } else {
      parameters.push_back({word.substr(0, equal), word.substr(equal + 1)});
    }
  }
  return parameters;
}

// The kind that --shell or --command-id says; nothing when both leave it open.
std::optional<azure::Shell> read_shell(const Options& options) {
  const std::string word = base::lower_ascii(base::trim(options.text("shell")));
  const std::string command = base::lower_ascii(base::trim(options.text("command-id")));
  const bool says_powershell = command == base::lower_ascii(azure::kRunPowerShell);
  const bool says_sh = command == base::lower_ascii(azure::kRunShell);
  if (word.empty() && says_powershell) return azure::Shell::powershell;
  if (word.empty() && says_sh) return azure::Shell::sh;
  if (word.empty()) return std::nullopt;
  if ((word == "powershell" || word == "pwsh") && !says_sh) return azure::Shell::powershell;
  if (word == "sh" && !says_powershell) return azure::Shell::sh;
  if (word == "bash" && !says_powershell) return azure::Shell::bash;
  if (word == "sh" || word == "bash" || word == "powershell" || word == "pwsh") {
    throw base::Error(base::exit_usage, "--shell and --command-id contradict each other");
  }
  throw options.wrong_value("shell", "sh, bash or powershell");
}

// A command of Azure's that takes no script, with its name; "" for those that run scripts.
std::string read_own_command(const Options& options) {
  std::string word = base::trim(options.text("command-id"));
  for (const char* known : kRunCommands) {
    if (base::lower_ascii(word) == base::lower_ascii(known)) return "";
  }
  return word;
}

base::Error takes_no_script(const std::string& command) {
  const std::string meant =
      base::nearest(command, {std::begin(kRunCommands), std::end(kRunCommands)});
  return {base::exit_usage,
          fmt::format("--command-id {} takes no script{}; with a script it is {} or {}",
                      shown_value(command),
                      meant.empty() ? "" : fmt::format("; did you mean {}?", meant),
                      azure::kRunShell, azure::kRunPowerShell)};
}

azure::Script read_whole_script(const Options& options, azure::Shell shell) {
  azure::Script script;
  script.shell = shell;
  script.text = read_script(options);
  script.remote_path = options.text("remote-script");
  script.parameters = read_parameters(options);
  script.arguments = options.list("arguments");
  if (script.text.empty() && script.remote_path.empty()) {
    throw base::Error(base::exit_bad_input, "the script is empty");
  }
  return script;
}

bool has_script(const Options& options) {
  return options.is_on("scripts") || options.is_on("script-file") || options.is_on("remote-script");
}

}  // namespace

SignIn read_sign_in(const Options& options) {
  const base::Env& env = options.env();
  azure::Known known;
  known.tenant = base::trim(options.text("tenant"));
  known.client_id = base::trim(options.text("client-id"));
  known.client_secret = options.text("client-secret");
  known.certificate_file = options.text("certificate");
  known.certificate_password = options.text("certificate-password");
  known.federated_token_file = options.text("federated-token-file");
  known.github_url = env("ACTIONS_ID_TOKEN_REQUEST_URL");
  known.github_token = env("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
  known.identity_endpoint = env("IDENTITY_ENDPOINT");
  known.identity_header = env("IDENTITY_HEADER");
  known.imds_endpoint = env("AZURE_POD_IDENTITY_AUTHORITY_HOST");
  known.in_actions = in_actions(env);
  SignIn sign_in;
  sign_in.subscription = base::trim(options.text("subscription"));
  azure::Cloud of_creds;
  const std::string auth = base::lower_ascii(base::trim(options.text("auth")));
  const std::string secret = nearest_secret(options, auth);
  if (secret != "client-secret") known.client_secret.clear();
  if (secret != "certificate") known.certificate_file.clear();
  if (secret == "creds") {
    const std::string creds_text = options.text("creds");
    const azure::Creds creds = azure::read_creds(
        with_file(creds_text, "the credentials", kMostCredsBytes), options.origin("creds"));
    known.client_secret = creds.client_secret;
    if (options.source("client-id") < Source::input) known.client_id = creds.client_id;
    if (options.source("tenant") < Source::input) known.tenant = creds.tenant;
    if (sign_in.subscription.empty()) sign_in.subscription = creds.subscription;
    of_creds = {creds.arm_endpoint, creds.authority};
  }
  warn_of_secrets(options);
  report_secret(env, known.client_secret);
  report_secret(env, known.certificate_password);
  report_secret(env, options.text("run-as-password"));
  report_secret(env, options.text("proxy"));
  sign_in.cloud = read_cloud(options, of_creds);
  sign_in.credentials = azure::choose(known, auth == "creds" ? "secret" : auth);
  warn_of_clear_text(env, kAzureRun, "the sign-in", sign_in.cloud.authority);
  warn_of_clear_text(env, kAzureRun, "the access token", sign_in.cloud.arm);
  return sign_in;
}

azure::Where read_where(const Options& options, const std::string& subscription) {
  azure::Where where;
  where.subscription = subscription;
  where.resource_group = base::trim(options.text("resource-group"));
  where.names = options.list("name");
  where.ids = options.list("ids");
  where.all = options.toggle("all");
  where.scale_set = base::trim(options.text("vmss"));
  where.instances = options.list("instance-id");
  for (const std::string& tag : options.list("tag")) {
    const size_t equal = tag.find('=');
    azure::Tag wanted{base::trim(tag.substr(0, equal)), std::nullopt};
    if (equal != std::string::npos) wanted.value = tag.substr(equal + 1);
    where.tags.push_back(wanted);
  }
  const bool by_group = !where.names.empty() || !where.scale_set.empty();
  const bool by_list = where.all || !where.tags.empty();
  if (!by_group && !by_list && where.ids.empty()) {
    throw base::Error(base::exit_usage,
                      "which machine? give --name, --ids, --tag, --vmss or --all");
  }
  if (by_group && where.resource_group.empty()) {
    throw base::Error(base::exit_usage, "--name and --vmss need --resource-group");
  }
  const bool is_wide = options.toggle("whole-subscription");
  if (is_wide) where.resource_group.clear();
  if (by_list && where.resource_group.empty() && !is_wide) {
    throw base::Error(base::exit_usage,
                      "--tag and --all need --resource-group, or --whole-subscription if all its "
                      "groups are meant");
  }
  if ((by_group || by_list) && subscription.empty()) {
    throw base::Error(base::exit_usage,
                      "which subscription? give --subscription or set AZURE_SUBSCRIPTION_ID");
  }
  for (const std::string& id : where.ids) azure::machine_of_id(id);  // throws before any sign-in
  return where;
}

azure::Job read_job(const Options& options) {
  azure::Job job;
  job.raw = options.toggle("raw");
  job.full_output = options.toggle("full-output");
  job.managed = options.toggle("managed");
  job.detach = options.toggle("detach");
  job.run_as_user = options.text("run-as");
  job.run_as_password = options.text("run-as-password");
  job.timeout_ms = options.duration_ms("timeout", 1);
  job.wait_conflict_ms = options.duration_ms("wait-conflict", 0);
  job.longest_poll_ms = options.duration_ms("poll-interval", 10);
  return job;
}

bool has_content(const Options& options) {
  return has_script(options) || options.is_on("arguments") || !read_own_command(options).empty();
}

void read_content(const Options& options, azure::Job& job) {
  job.command = read_own_command(options);
  if (!job.command.empty()) {
    if (has_script(options) || options.is_on("arguments")) throw takes_no_script(job.command);
    job.raw = true;
    job.raw_parameters = read_parameters(options);
    return;
  }
  if (!has_script(options)) {
    throw base::Error(base::exit_usage,
                      "nothing to run; give --scripts, --script-file or --remote-script");
  }
  const std::optional<azure::Shell> shell = read_shell(options);
  job.shell_known = shell.has_value();
  job.script = read_whole_script(options, shell.value_or(azure::Shell::sh));
  if (job.raw) job.raw_parameters = job.script->parameters;
  const bool is_huge = job.script->text.size() > azure::kMaxScriptBytes;
  if (!job.raw && (job.shell_known || is_huge)) {
    // What can't be wrapped is told before anything is asked of Azure.
    azure::wrap(*job.script, "0000000000000000", azure::Output::framed);
  }
}

}  // namespace commands
