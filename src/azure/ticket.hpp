// What it takes to follow a script that goes on running after this process has ended, as a text
// that a person can copy: base64url of JSON.
#pragma once

#include <string>
#include <vector>

#include "azure/machine.hpp"
#include "azure/script.hpp"

namespace azure {

struct Ticket {
  std::string arm;  // origin of the Azure Resource Manager it belongs to
  Machine machine;
  Shell shell = Shell::sh;
  std::string nonce;  // "": the script was sent unwrapped
  bool full_output = false;
  // Of an action: where its operation is asked for.
  std::string status_url;
  std::string result_url;
  // Of a managed run command.
  std::string managed_name;
};

std::string write_tickets(const std::vector<Ticket>& tickets);

// Throws 65 when the text is none of ours.
std::vector<Ticket> read_tickets(const std::string& text);

}  // namespace azure
