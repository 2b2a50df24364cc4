// azure-run: scripts on Azure virtual machines, with an honest exit code.
#pragma once

#include "commands/command.hpp"

namespace commands {

Run add_azure_run(CLI::App& app, const base::Env& env);

}  // namespace commands
