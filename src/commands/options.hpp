// A command's options: declared once, in a table; from it come the parser, the help and the one
// rule for values. flag > action input (INPUT_<FLAG>) > environment variable > default, and empty
// (also but for white space) means absent.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/env.hpp"
#include "base/error.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace commands {

// What a person may write for an option.
enum class Kind {
  text,    // also numbers, and lists: items divided by commas or line breaks
  lines,   // a list whose items hold commas: one a line
  items,   // a list like text's, several of whose items may follow the flag
  words,   // several may follow the flag, each as it is written; as input or variable one a line
  toggle,  // --flag or --flag=false; as input or variable: true, false, yes, no, on, off, 1, 0
  choice,  // one of the words in value_name, "text|json", in any case
};

struct Option {
  std::string group;  // heading in the help
  // "--webhook,--slack-webhook"; the first is the action input's too. A name in capitals, "TEXT",
  // lets it stand without a flag as well.
  std::string names;
  std::string value_name;   // "URL"; "" for a toggle
  std::string environment;  // "SLACK_WEBHOOK,SLACK_WEBHOOK_URL", asked in this order
  std::string fallback;     // default
  std::string help;
  Kind kind = Kind::text;
};

// The variable by which the runner hands over the action input, "INPUT_WEBHOOK".
std::string input_variable(const Option& option);

// The words of a choice, in the table's order; none of any other option.
std::vector<std::string> choices_of(const Option& option);

// Where a value came from, weakest first.
enum class Source { fallback, environment, input, flag };

struct Setting {
  std::vector<std::string> values;  // as written, the empty ones left out
  Source source = Source::fallback;
  std::string origin;  // for errors: "--pages", "INPUT_PAGES", "SLACK_WEBHOOK"
};

// The rule itself. `given` holds what stood behind the flag, once or more often.
Setting resolve(const Option& option, const std::vector<std::string>& given, const base::Env& env);

class Options {
 public:
  // Declares them on the command's CLI::App, which must live as long as this.
  Options(CLI::App& app, std::vector<Option> table, base::Env env);

  // Values after parsing. `name` is the first name without dashes; an unknown one is our bug (70).
  std::string text(const std::string& name) const;
  std::vector<std::string> values(const std::string& name) const;  // as written, not taken apart
  std::vector<std::string> list(const std::string& name) const;
  bool toggle(const std::string& name) const;         // throws 64
  std::string choice(const std::string& name) const;  // as declared, "" without one; throws 64
  int64_t number(const std::string& name, int64_t least, int64_t most) const;  // throws 64
  int64_t duration_ms(const std::string& name, int64_t least_ms) const;        // throws 64
  Source source(const std::string& name) const;

  // Whether it has a value; a toggle, whether it is true. is_given: by flag or input, so that the
  // person means this very run.
  bool is_on(const std::string& name) const;     // throws 64
  bool is_given(const std::string& name) const;  // throws 64

  // Where the value came from, for errors: "--creds", "AZURE_CREDENTIALS".
  std::string origin(const std::string& name) const;

  // 64, for a value that has been given: "--color is 'x', but must be good…", naming its origin.
  base::Error wrong_value(const std::string& name, const std::string& expected) const;

  const std::vector<Option>& table() const { return table_; }
  const base::Env& env() const { return env_; }

 private:
  struct Found {
    const Option& option;
    Setting setting;
  };
  Found find(const std::string& name) const;

  std::vector<Option> table_;
  std::vector<CLI::Option*> parsed_;  // in the table's order; the app owns them
  base::Env env_;
};

// A word a person typed, for an error text: in quotes, or "(not shown)" when it looks like a secret
// in the wrong place.
std::string shown_value(const std::string& value);

}  // namespace commands
