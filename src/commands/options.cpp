#include "commands/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace commands {

namespace {

constexpr int kMostWords = 10'000;

std::string upper_ascii(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// The first name without its dashes: "webhook".
std::string main_name(const Option& option) {
  return option.names.substr(2, option.names.find(',') - 2);
}

std::vector<std::string> not_empty(const std::vector<std::string>& values) {
  std::vector<std::string> kept;
  for (const std::string& value : values) {
    if (!base::trim(value).empty()) kept.push_back(value);
  }
  return kept;
}

}  // namespace

// The runner keeps hyphens.
std::string input_variable(const Option& option) {
  return "INPUT_" + upper_ascii(main_name(option));
}

std::string shown_value(const std::string& value) {
  for (const char* mark : {"xox", "xapp-", "://", "hooks.slack"}) {
    if (value.find(mark) != std::string::npos) return "(not shown)";
  }
  return fmt::format("'{}'", base::shorten(base::one_line(value), 80));
}

Setting resolve(const Option& option, const std::vector<std::string>& given, const base::Env& env) {
  const std::vector<std::string> names = base::split(option.names, ',');
  // Of words that were given the empty ones count too: they are what a script gets.
  const std::vector<std::string> flags = option.kind == Kind::words ? given : not_empty(given);
  if (!flags.empty()) return {flags, Source::flag, names.front()};
  const std::string input = input_variable(option);
  const std::vector<std::string> inputs = not_empty({env(input)});
  if (!inputs.empty()) return {inputs, Source::input, input};
  for (const std::string& variable : base::split_list(option.environment)) {
    const std::vector<std::string> values = not_empty({env(variable)});
    if (!values.empty()) return {values, Source::environment, variable};
  }
  return {not_empty({option.fallback}), Source::fallback, names.front()};
}

std::vector<std::string> choices_of(const Option& option) {
  if (option.kind != Kind::choice) return {};
  return base::split(option.value_name, '|');
}

Options::Options(CLI::App& app, std::vector<Option> table, base::Env env)
    : table_(std::move(table)), env_(std::move(env)) {
  for (const Option& option : table_) {
    const bool is_toggle = option.kind == Kind::toggle;
    CLI::Option* parsed = is_toggle ? app.add_flag(option.names) : app.add_option(option.names);
    const bool takes_several = option.kind == Kind::items || option.kind == Kind::words;
    if (takes_several) parsed->expected(1, kMostWords);
    // Without need no extra arguments: CLI11 then takes "[a,b]" for a list of its own.
    const bool are_lone_words = option.kind == Kind::words && parsed->get_positional();
    parsed->allow_extra_args(are_lone_words)->take_all();
    parsed_.push_back(parsed);
  }
}

Options::Found Options::find(const std::string& name) const {
  for (size_t i = 0; i < table_.size(); ++i) {
    if (main_name(table_[i]) == name) {
      return {table_[i], resolve(table_[i], parsed_[i]->results(), env_)};
    }
  }
  throw base::Error(base::exit_our_bug, fmt::format("no option --{} is declared", name));
}

std::string Options::text(const std::string& name) const {
  const Found found = find(name);
  return found.setting.values.empty() ? "" : found.setting.values.back();
}

std::vector<std::string> Options::values(const std::string& name) const {
  return find(name).setting.values;
}

std::vector<std::string> Options::list(const std::string& name) const {
  const Found found = find(name);
  const bool are_words = found.option.kind == Kind::words;
  if (are_words && found.setting.source == Source::flag) return found.setting.values;
  std::vector<std::string> items;
  for (const std::string& value : found.setting.values) {
    const bool by_line = are_words || found.option.kind == Kind::lines;
    for (const std::string& part : by_line ? base::split(value, '\n') : base::split_list(value)) {
      const std::string item = base::trim(part);
      if (!item.empty()) items.push_back(are_words ? part : item);
    }
  }
  return items;
}

bool Options::toggle(const std::string& name) const {
  const Setting setting = find(name).setting;
  if (setting.values.empty()) return false;
  const std::string word = base::lower_ascii(base::trim(setting.values.back()));
  for (const char* yes : {"true", "yes", "on", "1"}) {
    if (word == yes) return true;
  }
  for (const char* no : {"false", "no", "off", "0"}) {
    if (word == no) return false;
  }
  throw wrong_value(name, "true or false");
}

std::string Options::choice(const std::string& name) const {
  const Found found = find(name);
  if (found.setting.values.empty()) return "";
  const std::string word = base::lower_ascii(base::trim(found.setting.values.back()));
  std::vector<std::string> words = choices_of(found.option);
  for (const std::string& known : words) {
    if (word == base::lower_ascii(known)) return known;
  }
  const std::string last = words.back();
  words.pop_back();
  throw wrong_value(name, fmt::format("{} or {}", base::join(words, ", "), last));
}

int64_t Options::number(const std::string& name, int64_t least, int64_t most) const {
  const Setting setting = find(name).setting;
  const std::string text = setting.values.empty() ? "" : base::trim(setting.values.back());
  int64_t value = 0;
  if (!base::read_number(text, value) || value < least || value > most) {
    throw wrong_value(name, fmt::format("a whole number from {} to {}", least, most));
  }
  return value;
}

int64_t Options::duration_ms(const std::string& name, int64_t least_ms) const {
  int64_t ms = 0;
  if (base::read_duration_ms(base::trim(text(name)), ms) && ms >= least_ms) return ms;
  throw wrong_value(name, least_ms <= 1 ? "a time like 1s, 500ms or 2m, at most a day"
                                        : fmt::format("a time like 1s, 500ms or 2m, from {} ms to "
                                                      "a day",
                                                      least_ms));
}

base::Error Options::wrong_value(const std::string& name, const std::string& expected) const {
  const Setting setting = find(name).setting;
  return {base::exit_usage, fmt::format("{} is {}, but must be {}", setting.origin,
                                        shown_value(setting.values.back()), expected)};
}

bool Options::is_on(const std::string& name) const {
  const Found found = find(name);
  return found.option.kind == Kind::toggle ? toggle(name) : !found.setting.values.empty();
}

bool Options::is_given(const std::string& name) const {
  return source(name) >= Source::input && is_on(name);
}

std::string Options::origin(const std::string& name) const {
  return find(name).setting.origin;
}

Source Options::source(const std::string& name) const {
  return find(name).setting.source;
}

}  // namespace commands
