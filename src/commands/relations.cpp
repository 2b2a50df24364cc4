#include "commands/relations.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/text.hpp"

namespace commands {

namespace {

bool any_on(const Options& options, const char* names) {
  for (const std::string& name : base::split(names, ' ')) {
    if (options.is_on(name)) return true;
  }
  return false;
}

// "--a, --b or --c"
std::string named_in_words(const char* names) {
  std::vector<std::string> words = base::split(names, ' ');
  for (std::string& word : words) word.insert(0, "--");
  const std::string last = words.back();
  words.pop_back();
  return words.empty() ? last : fmt::format("{} or {}", base::join(words, ", "), last);
}

}  // namespace

std::string first_given(const Options& options, const char* names) {
  for (const std::string& name : base::split(names, ' ')) {
    if (options.is_given(name)) return name;
  }
  return "";
}

std::string problem_of_choice(const Options& options, const char* names) {
  std::string first;
  for (const std::string& name : base::split(names, ' ')) {
    if (!options.is_on(name)) continue;
    if (!first.empty()) return fmt::format("--{} and --{} can't go together", first, name);
    first = name;
  }
  return "";
}

std::string problem_of_pairs(const Options& options, std::span<const Relation> apart) {
  for (const auto& [name, others] : apart) {
    const std::string other = options.is_on(name) ? first_given(options, others) : "";
    if (!other.empty()) {
      return fmt::format("--{} and --{} can't go together; drop one of them", name, other);
    }
  }
  return "";
}

std::string problem_of_needs(const Options& options, std::span<const Relation> needs) {
  for (const auto& [name, owners] : needs) {
    const bool is_lost = options.is_given(name) && !any_on(options, owners);
    if (is_lost) return fmt::format("--{} needs {}", name, named_in_words(owners));
  }
  return "";
}

std::string problem_without_effect(const Options& options, const std::string& job,
                                   const char* names) {
  const std::string name = first_given(options, names);
  if (name.empty()) return "";
  return fmt::format("--{} has no effect on {}; drop it", name, job);
}

}  // namespace commands
