// What a person and a runner see while azure-run's scripts run: their output as it comes, a line
// for each that is over.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "azure/machine.hpp"
#include "base/env.hpp"
#include "commands/azure_results.hpp"
#include "commands/outlet.hpp"
#include "json/value.hpp"

namespace commands {

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

}  // namespace commands
