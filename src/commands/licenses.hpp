// licenses: names every library that is linked into this program, with version and licence; --full
// prints the notices and texts that the licences ask for.
#pragma once

#include <vector>

#include "base/env.hpp"
#include "commands/command.hpp"
#include "commands/help.hpp"
#include "commands/options.hpp"

namespace commands {

inline constexpr const char* kLicenses = "licenses";

std::vector<Option> licenses_options();
Page licenses_help();
Run add_licenses(CLI::App& app, const base::Env& env);

}  // namespace commands
