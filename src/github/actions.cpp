#include "github/actions.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/text.hpp"
#include "base/utf8.hpp"

namespace github {

namespace {

std::string escape_data(std::string_view text) {
  std::string escaped = base::replace_all(text, "%", "%25");
  escaped = base::replace_all(escaped, "\r", "%0D");
  return base::replace_all(escaped, "\n", "%0A");
}

// False for text that the runner may take for white space: it trims more than ASCII's.
bool shows_something(std::string_view text) {
  for (const char c : text) {
    if (c > ' ' && c <= '~') return true;
  }
  return false;
}

std::string escape_property(std::string_view text) {
  const std::string escaped = base::replace_all(escape_data(text), ":", "%3A");
  return base::replace_all(escaped, ",", "%2C");
}

}  // namespace

std::string annotation(std::string_view level, std::string_view title, std::string_view message) {
  return fmt::format("::{} title={}::{}\n", level, escape_property(title), escape_data(message));
}

std::string mask(std::string_view secret) {
  std::string commands;
  for (const std::string& line : base::split(secret, '\n')) {
    const std::string text = base::trim(line);
    if (!text.empty()) commands += fmt::format("::add-mask::{}\n", escape_data(text));
  }
  return commands;
}

std::string unobeyed(std::string_view text) {
  std::vector<std::string> lines =
      base::split(base::replace_all(base::replace_all(text, "\r\n", "\n"), "\r", "\n"), '\n');
  for (std::string& line : lines) {
    const size_t command = line.find("::");
    if (command != std::string::npos && !shows_something(line.substr(0, command))) {
      line.replace(command, 2, ": :");
    }
    line = base::replace_all(line, "##[", "## [");
  }
  return base::join(lines, "\n");
}

std::string unobeyed_json(std::string_view json) {
  return base::replace_all(json, "##[", "##\\u005b");
}

std::string log_line(std::string_view text) {
  return base::replace_all(base::one_line(text), "##[", "## [");
}

std::string output(std::string_view name, std::string_view value, std::string_view delimiter) {
  return fmt::format("{}<<{}\n{}\n{}\n", name, delimiter, value, delimiter);
}

}  // namespace github
