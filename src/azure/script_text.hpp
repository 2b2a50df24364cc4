// What script.cpp, script_sh.cpp and script_powershell.cpp share: the texts for each shell, without
// the checks that all have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "azure/script.hpp"

namespace azure {

// `key` stands in a text between two @.
struct Place {
  std::string_view key;
  std::string value;
};

// The text with its places filled in that order; values hold no @.
std::string fill(std::string_view text, const std::vector<Place>& places);

// Lines of 76 characters, each with its line break; "" for no bytes.
std::string base64_lines(std::string_view bytes);

std::string wrap_sh(const Script& script, const std::string& nonce, Output output);
std::string fetch_sh(const std::string& nonce, int64_t out_offset, int64_t err_offset);

std::string wrap_powershell(const Script& script, const std::string& nonce, Output output);
std::string fetch_powershell(const std::string& nonce, int64_t out_offset, int64_t err_offset);

}  // namespace azure
