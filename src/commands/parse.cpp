#include "commands/parse.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "commands/options.hpp"

namespace commands {

namespace {

constexpr const char* kRest = "--arguments";

bool is_positional(const CLI::Option* option) {
  return option->get_positional();
}

base::Error unknown_argument(const CLI::App& app, const std::string& argument) {
  const std::string word = argument.substr(0, argument.find('='));
  Arguments names = {"--help"};
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  const bool is_second_text = !word.starts_with('-') && !app.get_options(is_positional).empty();
  if (is_second_text) {
    return {base::exit_usage,
            fmt::format("there is more than one text: {} is left over; put a text "
                        "of several words in quotes",
                        shown_value(word))};
  }
  const std::string meant = word.starts_with('-') ? base::nearest(word, names) : "";
  return {base::exit_usage,
          fmt::format("unknown {} {}{}; {} {} --help lists all options",
                      word.starts_with('-') ? "option" : "argument", shown_value(word),
                      meant.empty() ? "" : fmt::format("; did you mean {}?", meant), PRODUCT_NAME,
                      app.get_name())};
}

// What stands behind "--" belongs to what the command runs, where it runs something.
Arguments with_rest(const CLI::App& app, Arguments arguments) {
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  if (dashes == arguments.end() || app.get_option_no_throw(kRest) == nullptr) return arguments;
  Arguments all(arguments.begin(), dashes);
  for (auto word = dashes + 1; word != arguments.end(); ++word) {
    if (word->empty()) {  // CLI11 takes "--flag=" for a flag whose value is the next word
      all.insert(all.end(), {kRest, ""});
    } else {
      all.push_back(fmt::format("{}={}", kRest, *word));
    }
  }
  return all;
}

}  // namespace

int run_command(const Command& command, const Arguments& arguments, const base::Env& env) {
  CLI::App app(command.summary, command.name);
  app.allow_extras();
  const Run run = command.add(app, env);
  const Arguments all =
      with_rest(app, command.rewrite == nullptr ? arguments : command.rewrite(arguments));
  try {
    app.parse(Arguments(all.rbegin(), all.rend()));  // CLI11 takes them from the back
  } catch (const CLI::CallForHelp&) {
    base::write_stdout(app.help());
    return base::exit_ok;
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string text = error.what();  // "--event: 1 required …"
    throw base::Error(base::exit_usage, text.substr(0, text.find(':')) + " needs a value");
  } catch (const CLI::ParseError& error) {
    throw base::Error(base::exit_usage, error.what());
  }
  Arguments unknown = app.remaining();
  // CLI11 counts the "--" before words that only look like options among them.
  const auto dashes = std::find(unknown.begin(), unknown.end(), "--");
  if (dashes != unknown.end()) unknown.erase(dashes);
  if (!unknown.empty()) throw unknown_argument(app, unknown.front());
  return run();
}

}  // namespace commands
