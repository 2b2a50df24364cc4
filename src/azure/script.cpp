#include "azure/script.hpp"

#include <fmt/format.h>

#include <cctype>

#include "azure/script_text.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "net/base64.hpp"

namespace azure {

namespace {

constexpr size_t kLineCharacters = 76;

// A variable's name in sh; PowerShell's parameters may begin with a digit as well.
bool is_name(const std::string& name, Shell shell) {
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') return false;
  }
  return shell == Shell::powershell || std::isdigit(static_cast<unsigned char>(name.front())) == 0;
}

void check_text(const std::string& text, const std::string& what, Shell shell) {
  if (text.find('\0') != std::string::npos) {
    throw base::Error(base::exit_usage, fmt::format("{} holds a NUL byte, which none can", what));
  }
  if (shell == Shell::powershell && base::first_invalid_utf8(text)) {
    throw base::Error(base::exit_usage,
                      fmt::format("{} is not UTF-8, which PowerShell's texts must be", what));
  }
}

void check(const Script& script) {
  check_text(script.remote_path, "the script's path", script.shell);
  for (const Parameter& parameter : script.parameters) {
    const std::string name = base::one_line(parameter.name);
    if (!parameter.name.empty() && !is_name(parameter.name, script.shell)) {
      throw base::Error(base::exit_usage,
                        fmt::format("'{}' can't be a parameter's name; use letters, digits and _, "
                                    "no digit in front",
                                    name));
    }
    check_text(parameter.value, "the value of parameter '" + name + "'", script.shell);
  }
  for (const std::string& argument : script.arguments) {
    check_text(argument, "an argument", script.shell);
  }
}

}  // namespace

std::string fill(std::string_view text, const std::vector<Place>& places) {
  std::string filled(text);
  for (const Place& place : places) {
    filled = base::replace_all(filled, fmt::format("@{}@", place.key), place.value);
  }
  return filled;
}

std::string base64_lines(std::string_view bytes) {
  const std::string all = net::base64(bytes);
  std::string lines;
  for (size_t at = 0; at < all.size(); at += kLineCharacters) {
    lines += all.substr(at, kLineCharacters) + "\n";
  }
  return lines;
}

std::string wrap(const Script& script, const std::string& nonce, Output output) {
  check(script);
  std::string text = script.shell == Shell::powershell ? wrap_powershell(script, nonce, output)
                                                       : wrap_sh(script, nonce, output);
  if (text.size() <= kMaxScriptBytes) return text;
  throw base::Error(
      base::exit_bad_input,
      fmt::format("the script with its arguments has {} bytes when wrapped, and Azure takes at "
                  "most {}; put it on the machine and name its path there, or let a short script "
                  "download it",
                  text.size(), kMaxScriptBytes));
}

std::string fetch(Shell shell, const std::string& nonce, int64_t out_offset, int64_t err_offset) {
  return shell == Shell::powershell ? fetch_powershell(nonce, out_offset, err_offset)
                                    : fetch_sh(nonce, out_offset, err_offset);
}

}  // namespace azure
