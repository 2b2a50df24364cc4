// What a person and a runner see of azure-run's machines: their output as it comes, a line for each
// that is over, a table and a summary at the end, outputs for later steps.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "azure/run.hpp"
#include "base/env.hpp"
#include "commands/options.hpp"
#include "commands/outlet.hpp"
#include "json/value.hpp"

namespace commands {

enum class Shape { text, json, jsonl };

Shape read_shape(const Options& options);  // --output, --json; throws 64

// One machine's place among the others. The result must live as long.
struct Ran {
  std::string name;  // by which a person tells it from the others
  std::string id;
  std::string attach_token;  // of a script that may be running still
  const azure::Result& result;
};

bool is_well(const Ran& ran);  // succeeded, or detached

// Prints while scripts run; may be used by several threads. What can't be written is thrown by
// end(), not there. A reader that stalls stops everything, until a stop is asked for.
class AzureOutput {
 public:
  AzureOutput(const base::Env& env, Shape shape);

  // Whose output is to come; from here on it knows their names. Not while others use it.
  void expect(const std::vector<azure::Machine>& machines, const std::vector<std::string>& names);

  // Output of a managed script, as it comes.
  void live(const azure::Machine& machine, bool is_errors, const std::string& text);
  // One that is over: its output, unless that was shown live, and how it went.
  void over(const Ran& ran);
  void notice(const azure::Machine& machine, const std::string& text);
  void progress(const std::string& text);
  void secret(const std::string& secret);  // to be masked by a runner
  void result(const std::string& text);    // on standard output
  void json(const json::Value& value);     // the same, a line
  void table(const std::string& text);     // on standard error
  // The last line of a terminal: how far it is; "" clears it.
  void state(const std::string& text);

  void end();  // throws 74; but after a stop that is only told, as the stop counts for more
  bool has_lost_output() const { return !failure_.empty(); }  // after end()

 private:
  void print(const std::string& name, bool is_errors, const std::string& text);
  void write(bool is_errors, const std::string& text);
  void write_json(const json::Value& value);
  void begin_line();

  base::Env env_;
  Shape shape_;
  bool is_one_ = true;
  bool is_terminal_;
  Outlet out_;
  Outlet err_;
  std::map<std::string, std::string> names_;  // by resource ID
  std::map<std::string, std::string> lines_;  // not whole yet, by name and stream
  std::set<std::string> live_;                // names of those whose output was shown
  bool has_state_ = false;
  std::string failure_;  // of writing
  std::mutex mutex_;
};

json::Value result_json(const Ran& ran, bool with_output);

// A line for each machine, and one that counts; for standard error.
std::string results_table(const std::vector<Ran>& all);

std::string results_markdown(const std::vector<Ran>& all);  // for the job summary

// ok, exit_code, stdout, stderr, failed, results.
void write_azure_outputs(const base::Env& env, const std::vector<Ran>& all);

// 0 when every script succeeded or was detached; else what an error says; else 1, or with `remote`
// the first failed script's own code.
int azure_exit_code(const std::vector<Ran>& all, bool remote);

}  // namespace commands
