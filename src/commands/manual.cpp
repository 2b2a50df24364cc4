#include "commands/manual.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "commands/roff.hpp"
#include "commands/texts.hpp"

namespace commands {

namespace {

std::string bold(std::string_view text) {
  return fmt::format("\\fB{}\\fR", roff_escape(text));
}

std::string italic(std::string_view text) {
  return fmt::format("\\fI{}\\fR", roff_escape(text));
}

// The title line and NAME.
std::string head(const std::string& name, const std::string& summary) {
  return fmt::format(".TH {0} 1 {1} \"{2} {3}\" \"{2} manual\"\n.SH NAME\n{4} \\- {5}\n", name,
                     manual_date(), PRODUCT_NAME, PRODUCT_VERSION, roff_escape(name),
                     roff_escape(summary));
}

std::string exit_status() {
  std::string text = roff_section("EXIT STATUS");
  for (const auto& [code, meaning] : base::exit_code_meanings()) {
    text += roff_entry(bold(std::to_string(code)), meaning);
  }
  return text;
}

// "--webhook, --slack-webhook URL"
std::string option_tag(const Option& option) {
  std::vector<std::string> names;
  bool stands_alone = false;
  for (const std::string& name : base::split(option.names, ',')) {
    if (name.starts_with('-')) names.push_back(bold(name));
    stands_alone = !name.starts_with('-');
  }
  std::string tag = base::join(names, ", ");
  const std::string value =
      option.kind == Kind::choice ? bold(option.value_name) : italic(option.value_name);
  if (!option.value_name.empty()) tag += " " + value;
  if (stands_alone) tag += fmt::format(", or {} alone", value);
  return tag;
}

std::string option_entry(const Option& option) {
  std::string about = option.help + ".";
  if (!option.environment.empty()) {
    about +=
        fmt::format(" Environment: {}.", base::join(base::split_list(option.environment), ", "));
  }
  if (!option.fallback.empty()) about += fmt::format(" Default: {}.", option.fallback);
  return roff_entry(option_tag(option), about);
}

std::string options_section(const std::vector<Option>& table) {
  const std::string name = base::split(table.front().names, ',').front();
  std::string text = roff_section("OPTIONS");
  text += roff_paragraphs(
      fmt::format("The value of an option is that of the flag ({0}), else that of the action input "
                  "of the same name ({1} in the environment), else that of the first "
                  "environment variable that is named with it, else its default. An empty value "
                  "counts as not given.",
                  name, input_variable(table.front())));
  std::string group;
  for (const Option& option : table) {
    if (option.group != group) text += roff_subsection(option.group);
    group = option.group;
    text += option_entry(option);
  }
  return text;
}

// Every variable that an option asks, with its options.
std::string environment_section(const std::vector<Option>& table) {
  std::map<std::string, std::vector<std::string>> variables;
  for (const Option& option : table) {
    for (const std::string& variable : base::split_list(option.environment)) {
      variables[variable].push_back(base::split(option.names, ',').front());
    }
  }
  if (variables.empty()) return "";
  std::string text = roff_section("ENVIRONMENT");
  for (const auto& [variable, options] : variables) {
    text += roff_entry(bold(variable), fmt::format("value of {}", base::join(options, ", ")));
  }
  return text;
}

std::string see_also(const std::vector<std::string>& names) {
  std::vector<std::string> pages;
  for (const std::string& name : names) pages.push_back(bold(name) + "(1)");
  return roff_section("SEE ALSO") + base::join(pages, ",\n") + "\n";
}

int run(const Options& options, std::span<const Command> commands) {
  const std::string name = base::trim(options.text("page"));
  std::vector<std::string> names = {PRODUCT_NAME};
  if (name.empty() || name == PRODUCT_NAME) {
    base::write_stdout(program_page(commands));
    return base::exit_ok;
  }
  for (const Command& command : commands) {
    names.emplace_back(command.name);
    if (name != command.name) continue;
    base::write_stdout(command_page(command));
    return base::exit_ok;
  }
  const std::string meant = base::nearest(name, names);
  throw base::Error(base::exit_usage,
                    fmt::format("no page {}{}; the pages are {}", shown_value(name),
                                meant.empty() ? "" : fmt::format("; did you mean {}?", meant),
                                base::join(names, ", ")));
}

}  // namespace

std::string program_page(std::span<const Command> commands) {
  std::string text = head(PRODUCT_NAME, "a tool belt for operations people");
  text += roff_section("SYNOPSIS") +
          fmt::format("{0} {1} [{2}]\n.br\n{0} {3}|{4}\n", bold(PRODUCT_NAME), italic("COMMAND"),
                      italic("options"), bold("--help"), bold("--version"));
  text += roff_section("DESCRIPTION") +
          roff_paragraphs(
              "One program with a command for each job. It succeeds only when the job is done; an "
              "error is one line on standard error that says what happened and what to do. The "
              "result is on standard output, everything else on standard error.") +
          roff_section("COMMANDS");
  std::vector<std::string> pages;
  for (const Command& command : commands) {
    text += roff_entry(bold(command.name), command.summary);
    pages.push_back(fmt::format("{}-{}", PRODUCT_NAME, command.name));
  }
  return text + exit_status() + roff_from_text(manual_text(PRODUCT_NAME)) + see_also(pages);
}

std::string command_page(const Command& command) {
  const std::vector<Option> table = command.options();
  const Page page = command.page();
  std::string text = head(fmt::format("{}-{}", PRODUCT_NAME, command.name), command.summary);
  text += roff_section("SYNOPSIS") + fmt::format("{} {} {}\n", bold(PRODUCT_NAME),
                                                 bold(command.name), roff_escape(page.usage));
  text += roff_section("DESCRIPTION") + roff_paragraphs(page.about);
  text += options_section(table) + exit_status() + environment_section(table);
  return text + roff_from_text(manual_text(command.name)) + see_also({PRODUCT_NAME});
}

std::vector<Option> manual_options() {
  return {{"Page", "--page,COMMAND", "COMMAND", "", "",
           "the command's page; without it that of the program"}};
}

Page manual_help() {
  return {"[COMMAND]",
          "Prints a manual page in the form that man reads: of the program, or of a command.",
          "  " PRODUCT_NAME " manual | man -l -\n  " PRODUCT_NAME " manual slack-post | man -l -\n",
          {"COMMAND"}};
}

Run add_manual(CLI::App& app, const base::Env& env, std::span<const Command> commands) {
  const auto options = std::make_shared<Options>(app, manual_options(), env);
  set_help(app, manual_help(), options->table());
  return [options, commands] { return run(*options, commands); };
}

}  // namespace commands
