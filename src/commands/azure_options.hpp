// azure-run's options, and what is read by them: who signs in where, which machines, what is run.
// Each function throws base::Error that names the option.
#pragma once

#include <string>
#include <vector>

#include "azure/cloud.hpp"
#include "azure/credentials.hpp"
#include "azure/find_machines.hpp"
#include "azure/run.hpp"
#include "azure/sign_in.hpp"
#include "commands/help.hpp"
#include "commands/options.hpp"

namespace commands {

inline constexpr const char* kAzureRun = "azure-run";

std::vector<Option> azure_options();
Page azure_help();

struct SignIn {
  azure::Cloud cloud;
  azure::Credentials credentials;
  std::string subscription;  // "": not known
};

// Reads the environment and the file of credentials too. Throws 64, 65, 66, 78.
SignIn read_sign_in(const Options& options);

azure::Where read_where(const Options& options, const std::string& subscription);

// How it is to be run, without the callbacks. Throws 64.
azure::Job read_job(const Options& options);

// Whether anything says what is to be run.
bool has_content(const Options& options);

// What is to be run: reads the script's file. Throws 64, 65, 66.
void read_content(const Options& options, azure::Job& job);

// Throws 64 for options that can't work together, before anything is read or sent.
void check_azure_usage(const Options& options);

}  // namespace commands
