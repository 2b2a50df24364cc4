// Which options go together, as tables: one rule for every command.
#pragma once

#include <span>
#include <string>

#include "commands/options.hpp"

namespace commands {

// An option and others, divided by spaces.
struct Relation {
  const char* name;
  const char* others;
};

// The first of the options, divided by spaces, that is given by flag or input; "" when none is.
std::string first_given(const Options& options, const char* names);

// What is wrong, and what to do; "" when nothing is.
// Of these, divided by spaces, at most one can be on.
std::string problem_of_choice(const Options& options, const char* names);
// Options that can't both have their effect.
std::string problem_of_pairs(const Options& options, std::span<const Relation> apart);
// Options that mean nothing without another, or without one of several.
std::string problem_of_needs(const Options& options, std::span<const Relation> needs);

// Options, divided by spaces, that mean nothing for what is to be done, "merge".
std::string problem_without_effect(const Options& options, const std::string& job,
                                   const char* names);

}  // namespace commands
