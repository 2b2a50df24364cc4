#include "commands/help.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/error.hpp"
#include "base/text.hpp"

namespace commands {

namespace {

constexpr size_t kWidth = 96;
constexpr size_t kIndent = 8;

std::string option_help(const Option& option) {
  std::vector<std::string> names = base::split(option.names, ',');
  const bool stands_alone = !names.back().starts_with('-');
  if (stands_alone) names.pop_back();
  std::string text = "  " + base::join(names, ", ");
  if (!option.value_name.empty()) text += " " + option.value_name;
  if (stands_alone) text += fmt::format(", or {} alone", option.value_name);
  text += "\n";
  std::string about = option.help;
  if (!option.environment.empty()) {
    about += fmt::format(" [env: {}]", base::join(base::split_list(option.environment), ", "));
  }
  if (!option.fallback.empty()) about += fmt::format(" [default: {}]", option.fallback);
  return text + fmt::format("{:{}}{}\n", "", kIndent, base::wrap(about, kIndent, kWidth));
}

std::string options_help(const std::vector<Option>& table) {
  std::string text;
  std::string group;
  for (const Option& option : table) {
    if (option.group != group) text += fmt::format("\n{}\n", option.group);
    group = option.group;
    text += option_help(option);
  }
  return text;
}

std::string exit_codes_help() {
  std::string text = "\nExit codes\n";
  for (const auto& [code, meaning] : base::exit_code_meanings()) {
    text += fmt::format("  {:>3}  {}\n", static_cast<int>(code), meaning);
  }
  return text;
}

std::string page_text(const std::string& name, const std::string& summary, const Page& page,
                      const std::vector<Option>& table) {
  return fmt::format(
             "{0} {1}: {2}\n\nUsage: {0} {1} {3}\n\n{4}\n\n"
             "Values: flag, else action input (INPUT_<FLAG>), else environment, else default;\n"
             "an empty value counts as not given.\n",
             PRODUCT_NAME, name, summary, page.usage, base::wrap(page.about, 0, kWidth)) +
         options_help(table) + "\nExamples\n" + page.examples + exit_codes_help();
}

}  // namespace

void set_help(CLI::App& app, const Page& page, const std::vector<Option>& table) {
  std::string text = page_text(app.get_name(), app.get_description(), page, table);
  app.formatter_fn([text = std::move(text)](const CLI::App*, const std::string&,
                                            CLI::AppFormatMode) { return text; });
}

std::string overview(std::span<const Command> commands) {
  std::string text = fmt::format("{} {}: a tool belt for operations people\n\nCommands\n",
                                 PRODUCT_NAME, PRODUCT_VERSION);
  for (const Command& command : commands) {
    text += fmt::format("  {:<16}{}\n", command.name, command.summary);
  }
  text += fmt::format(
      "\n  {0} COMMAND --help   its options, examples and exit codes (also: {0} help COMMAND)\n"
      "  {0} --version        this version and those of its libraries\n",
      PRODUCT_NAME);
  return text;
}

}  // namespace commands
