// What who signed in may do, as far as running scripts goes.
// Source: learn.microsoft.com "Understand Azure role definitions", Microsoft.Authorization
// permissions 2022-04-01.
#pragma once

#include <string>
#include <vector>

#include "azure/arm.hpp"
#include "azure/machine.hpp"
#include "base/error.hpp"

namespace azure {

// Whether a list of permissions allows an action: one that has it (with * for anything) and does
// not take it back.
bool allows(const json::Value& permissions, const std::string& action);

struct Finding {
  base::ExitCode code = base::exit_ok;  // else what a run would end with
  std::string text;                     // one line: what was looked at, what was found, what to do
};

// Signs in, reads the machine, and looks what is allowed there and in its resource group. Changes
// nothing. Throws only when there is no sign-in.
std::vector<Finding> check_machine(const Arm& arm, const net::Http& http, const Machine& machine,
                                   bool managed);

}  // namespace azure
