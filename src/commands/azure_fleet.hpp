// The machines of one azure-run: their scripts stepped side by side, and what may go on running
// when this process ends.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "azure/run.hpp"
#include "commands/azure_output.hpp"
#include "commands/azure_results.hpp"
#include "commands/stopping.hpp"
#include "net/http.hpp"

namespace commands {

struct Fleet {
  AzureOutput& output;
  azure::Arm arm;
  azure::Job job;
  size_t most_at_once = 1;
  size_t most_failures = 1;  // after so many no more machines are begun
  bool keeps_output = true;  // after it was shown
  std::vector<std::unique_ptr<azure::Run>> runs = {};
  std::vector<std::string> names = {};  // of their machines, by which a person tells them apart
  std::vector<net::Http> https = {};    // one a thread
};

// Names the machines, once all runs are there, and lets what happens to them be shown.
void show_fleet(Fleet& fleet);

// Steps all runs until they are over. When a stop is asked for, what can be ended is ended; the
// scripts of actions can't.
void run_fleet(Fleet& fleet, Stopping& stopping);

std::vector<Ran> results_of(const Fleet& fleet);

// What may go on without us, as a token; "" when nothing does.
std::string token_of(const Fleet& fleet);

}  // namespace commands
