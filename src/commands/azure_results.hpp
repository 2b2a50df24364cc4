// What a person and a runner see of azure-run's machines: their output as it comes, a line for each
// that is over, a table and a summary at the end, outputs for later steps.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "azure/run.hpp"
#include "base/env.hpp"
#include "commands/options.hpp"
#include "json/value.hpp"

namespace commands {

enum class Shape { text, json, jsonl };

Shape read_shape(const Options& options);  // --output, --json; throws 64

// One machine's place among the others.
struct Ran {
  std::string name;  // by which a person tells it from the others
  std::string id;
  azure::Result result;
};

// Prints while scripts run. May be used by several threads; what can't be written is thrown by
// check(), not there.
class AzureOutput {
 public:
  AzureOutput(base::Env env, Shape shape);

  // Whose output is to come; from here on it knows their names. Not while others use it.
  void expect(const std::vector<azure::Machine>& machines);

  // Output of a managed script, as it comes.
  void live(const azure::Machine& machine, bool is_errors, const std::string& text);
  void notice(const azure::Machine& machine, const std::string& text);
  void progress(const std::string& text);
  // One that is over: its output, unless that was shown live, and how it went.
  void over(const Ran& ran);
  // The last line of a terminal: how far it is; "" clears it.
  void state(const std::string& text);

  void check() const;  // throws 74

 private:
  void print(const std::string& name, bool is_errors, const std::string& text);
  void write(bool is_errors, const std::string& text);
  void clear_state();

  base::Env env_;
  Shape shape_;
  bool is_one_ = true;
  bool is_terminal_;
  std::map<std::string, std::string> names_;       // by resource ID
  std::map<std::string, std::string> unfinished_;  // the begun line of a name's stream
  std::map<std::string, bool> was_live_;
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
