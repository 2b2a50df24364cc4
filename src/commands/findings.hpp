// What --check finds, the same way for every command: a line for each thing that was looked at,
//
//   token: ok: opsbelt of the workspace Harbor
//   scope files:write: WRONG: the token lacks it, and … needs it; add it under …
//
// or as JSON {"name":…,"ok":…,"state":"ok|warning|wrong|not checked","finding":…}, with "code" for
// what is wrong. Everything is looked at; the first that is wrong gives the exit code. Texts are
// one line: what was found, what to do. None holds a secret.
#pragma once

#include <functional>
#include <string>

#include "base/env.hpp"
#include "base/error.hpp"
#include "commands/options.hpp"
#include "json/value.hpp"

namespace commands {

// --check, in that group of the help; `what` says what is looked at.
Option check_option(const std::string& group, const std::string& what);

class Findings {
 public:
  // Text is printed as it is found, so are JSON Lines; a JSON array at the end.
  enum class Form { text, array, lines };
  Findings(base::Env env, Form form) : env_(std::move(env)), form_(form) {}

  void ok(const std::string& name, const std::string& text);
  // It would work, but not as one might think.
  void warn(const std::string& name, const std::string& text);
  // It can't be known without doing it.
  void not_checked(const std::string& name, const std::string& text);
  void wrong(const std::string& name, const base::Error& error);

  // Notes what `look` tells, or the error that it throws; "" is nothing to be noted. A stop (130)
  // is thrown on. Whether nothing was thrown.
  bool look(const std::string& name, const std::function<std::string()>& look);

  // Prints what is not printed yet. The code of the first that is wrong, else 0.
  int end();

 private:
  void add(const std::string& name, const char* state, const std::string& text, int code);

  base::Env env_;
  Form form_;
  json::Array list_;
  int code_ = base::exit_ok;
};

}  // namespace commands
