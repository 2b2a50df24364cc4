#include "commands/azure_options.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "commands/relations.hpp"

namespace commands {

namespace {

// Of these at most one says what is run, or that nothing is.
constexpr const char* kContents = "scripts script-file remote-script attach";

constexpr Relation kApart[] = {
    {"raw", "full-output arguments remote-script managed"},
    {"managed", "full-output command-id"},
    {"detach", "fail-fast max-failures exit-code"},
    {"attach",
     "name ids tag all vmss resource-group parameters arguments shell raw managed command-id "
     "detach run-as full-output"},
    {"check", "attach"},
    {"fail-fast", "max-failures"},
    {"all", "tag"},
    {"all", "name ids vmss"},
    {"tag", "name ids vmss"},
    {"whole-subscription", "resource-group"},
    {"arm-endpoint", "cloud"},
};

constexpr Relation kNeeds[] = {
    {"instance-id", "vmss"},       {"whole-subscription", "all tag"}, {"run-as", "managed"},
    {"run-as-password", "run-as"}, {"arm-endpoint", "authority"},
};

void add(std::vector<Option>& table, std::vector<Option> more) {
  table.insert(table.end(), more.begin(), more.end());
}

std::vector<Option> machine_options() {
  const std::string group = "Machines";
  return {
      {group, "--name,-n,--vm-name", "NAMES", "", "", "virtual machines; several may follow",
       Kind::items},
      {group, "--resource-group,-g", "GROUP", "AZURE_RESOURCE_GROUP", "", "their resource group"},
      {group, "--subscription", "ID", "AZURE_SUBSCRIPTION_ID", "", "their subscription"},
      {group, "--ids", "IDS", "", "", "machines by resource ID, in any group", Kind::items},
      {group, "--tag", "NAME=VALUE", "", "",
       "machines of the resource group that have this tag (all of these, when given more than "
       "once); a NAME alone is one with any value",
       Kind::words},
      {group, "--all", "", "", "", "all machines of the resource group", Kind::toggle},
      {group, "--whole-subscription", "", "", "",
       "--tag and --all mean the machines of all its resource groups", Kind::toggle},
      {group, "--vmss,--vmss-name", "NAME", "", "", "the instances of this scale set"},
      {group, "--instance-id", "IDS", "", "", "only these of the scale set's instances",
       Kind::items},
  };
}

std::vector<Option> script_options() {
  const std::string group = "Script";
  return {
      {group, "--scripts", "TEXT|@FILE", "", "", "its text; several are its lines", Kind::words},
      {group, "--script-file", "FILE|-", "", "", "file with the script; - is standard input"},
      {group, "--remote-script", "PATH", "", "", "a script that is on the machine already"},
      {group, "--parameters", "NAME=VALUE", "", "",
       "for PowerShell -NAME VALUE; else an environment variable and, in order, $1, $2…; without "
       "a name only that",
       Kind::words},
      {group, "--arguments", "WORDS", "", "", "the script's arguments; on a command line behind --",
       Kind::words},
      {group, "--shell", "sh|bash|powershell", "", "",
       "what runs it, if no #! line says so; default: sh, on Windows powershell, which is asked "
       "from each machine",
       Kind::choice},
      {group, "--command-id", "ID", "", "",
       "RunShellScript, RunPowerShellScript, or another command of Azure's, which needs no script"},
      {group, "--raw", "", "", "",
       "send the script unwrapped, as az does: no exit code, 4,096 bytes of output", Kind::toggle},
      {group, "--managed", "", "", "",
       "as a managed run command: output while it runs, ended by Ctrl-C, deleted afterwards",
       Kind::toggle},
      {group, "--run-as", "USER", "", "", "who runs it (--managed)"},
      {group, "--run-as-password", "SECRET", "AZURE_RUN_AS_PASSWORD", "", "that user's password"},
  };
}

std::vector<Option> run_options() {
  const std::string group = "Run";
  return {
      {group, "--timeout", "DURATION", "", "90m",
       "for each machine; then a managed script is ended, any other left to itself"},
      {group, "--wait-conflict", "DURATION", "", "10m",
       "how long to wait for another script on the machine to end"},
      {group, "--poll-interval", "DURATION", "", "10s", "longest wait between two looks"},
      {group, "--retry-budget", "SECONDS", "", "300",
       "how long, for each request, to go on trying when Azure can't be reached, is rate-limited "
       "(429) or fails (5xx); a start that may have been taken is never sent again"},
      {group, "--concurrency", "N", "", "50", "machines at the same time"},
      {group, "--fail-fast", "", "", "", "begin no more machines after the first failure",
       Kind::toggle},
      {group, "--max-failures", "N", "", "", "begin no more machines after this many"},
      {group, "--full-output", "", "", "",
       "bring all output, by further runs of 20 s or more each where it does not fit in one",
       Kind::toggle},
      {group, "--exit-code", "answer|remote", "", "answer",
       "answer: 1 when a script failed; remote: its own exit code", Kind::choice},
      {group, "--detach,--no-wait", "", "", "", "start it, print a token to follow it by, and end",
       Kind::toggle},
      {group, "--attach", "TOKEN|@FILE|-", "", "", "follow what was started before"},
      {group, "--check", "", "", "",
       "sign in, read the machines and the script, say what is missing; nothing is run",
       Kind::toggle},
  };
}

std::vector<Option> sign_in_options() {
  const std::string group = "Sign-in";
  return {
      {group, "--auth", "secret|certificate|github|workload|managed", "", "",
       "secret, certificate, github, workload or managed; default: the first of these for which "
       "there is what it needs",
       Kind::choice},
      {group, "--tenant", "ID", "AZURE_TENANT_ID", "", "tenant of the service principal"},
      {group, "--client-id", "ID", "AZURE_CLIENT_ID", "",
       "the service principal's application ID, or a managed identity's"},
      {group, "--client-secret", "SECRET", "AZURE_CLIENT_SECRET", "",
       "its secret; not on a command line, where others see it"},
      {group, "--certificate", "FILE", "AZURE_CLIENT_CERTIFICATE_PATH", "",
       "its certificate with the private key, PEM"},
      {group, "--certificate-password", "SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "",
       "the private key's password"},
      {group, "--federated-token-file", "FILE", "AZURE_FEDERATED_TOKEN_FILE", "",
       "a workload identity's token"},
      {group, "--creds", "JSON", "AZURE_CREDENTIALS", "", "azure/login's JSON with a secret in it"},
      {group, "--cloud", "public|usgov|china", "", "public", "whose Azure it is", Kind::choice},
      {group, "--arm-endpoint", "URL", "", "", "Azure Resource Manager of another cloud"},
      {group, "--authority", "URL", "AZURE_AUTHORITY_HOST", "", "where to sign in there"},
      {group, "--proxy", "URL", "", "",
       "proxy to go through; without it those of HTTPS_PROXY, HTTP_PROXY and NO_PROXY"},
  };
}

std::vector<Option> output_options_of_azure() {
  const std::string group = "Output";
  return {
      {group, "--output,-o", "text|json|jsonl", "", "text",
       "the scripts' output; or an object by machine; or one a line, each when it is over",
       Kind::choice},
      {group, "--json", "", "", "", "short for --output json", Kind::toggle},
  };
}

}  // namespace

std::vector<Option> azure_options() {
  std::vector<Option> table = machine_options();
  add(table, script_options());
  add(table, run_options());
  add(table, sign_in_options());
  add(table, output_options_of_azure());
  return table;
}

Page azure_help() {
  return {"[options] [-- arguments]",
          "Runs a script on Azure virtual machines, through Azure's API and the agent on the "
          "machine: no open port, no SSH. Prints the script's output, and its exit code is true: "
          "0 only when the script succeeded on every machine, 1 when it failed.\n"
          "Script, arguments and values arrive byte for byte. Expect 20 s at least for each run; "
          "Azure runs one script at a time on a machine, 90 minutes at most, and can't end one "
          "(but with --managed).\n"
          "Who signs in needs the role Virtual Machine Contributor on the resource group. With "
          "the role on the machine alone a script can be started, but not followed.\n"
          "Outputs for later steps: ok, exit_code, stdout, stderr (of one machine), failed "
          "(names), results (JSON, by machine), attach_token (--detach).",
          "  " PRODUCT_NAME
          " azure-run -g prod -n web1 --scripts 'systemctl is-active nginx'\n"
          "  " PRODUCT_NAME
          " azure-run -g prod --tag role=web --script-file fix.sh -- --now 'two words'\n"
          "  " PRODUCT_NAME
          " azure-run -g prod -n win1 --remote-script c:/temp/myscript.ps1\n"
          "  " PRODUCT_NAME " azure-run -g prod -n web1 --check\n"};
}

void check_azure_usage(const Options& options) {
  for (const std::string& problem :
       {problem_of_choice(options, kContents), problem_of_pairs(options, kApart),
        problem_of_needs(options, kNeeds)}) {
    if (!problem.empty()) throw base::Error(base::exit_usage, problem);
  }
}

}  // namespace commands
