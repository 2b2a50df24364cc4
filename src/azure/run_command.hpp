// Azure's run commands as requests and replies: the action (one POST, the output at the end) and
// the managed kind (a resource that is put, looked at and deleted). Pure.
// Source: azure-rest-api-specs, Microsoft.Compute 2024-11-01, virtualMachines runCommand and
// virtualMachineRunCommands; the recorded traffic of Azure's own clients.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azure/machine.hpp"
#include "azure/script.hpp"
#include "json/value.hpp"
#include "net/http.hpp"

namespace azure {

inline constexpr const char* kRunShell = "RunShellScript";
inline constexpr const char* kRunPowerShell = "RunPowerShellScript";
inline constexpr size_t kTailBytes = 4'096;  // what Azure keeps of each stream

// The id of the command that runs a script of this kind.
std::string command_id(Shell shell);

// POST …/runCommand. The script is sent as it stands; `parameters` only with --raw, as our own
// wrapper brings them along.
net::HttpRequest action_request(const std::string& arm, const Machine& machine,
                                const std::string& command, const std::string& script,
                                const std::vector<Parameter>& parameters);

// What came back of an action: {"value":[…]} or the list itself, Linux' one message or Windows' two
// entries.
struct ActionOutput {
  std::string all;     // every message, for read_report()
  std::string output;  // the streams as Azure gives them, the last 4,096 bytes of each
  std::string errors;
  bool failed = false;  // a status that says so
};
ActionOutput read_action_output(const json::Value& result);  // throws 76

// A managed run command.
struct ManagedRun {
  std::string script;
  std::string location;
  std::string run_as_user;
  std::string run_as_password;
  int64_t timeout_s = 0;  // 0: Azure's own
};
net::HttpRequest managed_put(const std::string& arm, const Machine& machine,
                             const std::string& name, const ManagedRun& run);
net::HttpRequest managed_get(const std::string& arm, const Machine& machine,
                             const std::string& name);
net::HttpRequest managed_delete(const std::string& arm, const Machine& machine,
                                const std::string& name);

// Its instance view.
struct ManagedState {
  std::string state;  // "Pending", "Running", "Succeeded", "Failed", "TimedOut", "Canceled"…
  bool is_over = false;
  std::optional<int64_t> exit_code;
  std::string message;
  std::string output;  // the last 4,096 bytes of each
  std::string errors;
};
ManagedState read_managed_state(const json::Value& reply);

// What a tail that was read again has that the one before it did not.
struct News {
  std::string text;
  bool has_gap = false;  // more came than the tail holds, or may have: some is lost before the text
};
News news_of(std::string_view before, std::string_view now);

}  // namespace azure
