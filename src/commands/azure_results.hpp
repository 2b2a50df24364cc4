// What came of azure-run's machines, for a person, for a runner and as exit code.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "azure/run.hpp"
#include "base/env.hpp"
#include "commands/options.hpp"
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

std::string why(const Ran& ran);  // its error in one line; "" without one

// "exit code 3 after 24 s"
std::string how_it_went(const azure::Result& result);

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
