#include "commands/findings.hpp"

#include <fmt/format.h>

#include <string_view>

#include "base/utf8.hpp"
#include "commands/report.hpp"
#include "json/write.hpp"

namespace commands {

namespace {

constexpr const char* kOk = "ok";
constexpr const char* kWarning = "warning";
constexpr const char* kNotChecked = "not checked";
constexpr const char* kWrong = "wrong";

}  // namespace

Option check_option(const std::string& group, const std::string& what) {
  return {group,       "--check", "",
          "",          "",        "only look at " + what + ", and say what would fail and why",
          Kind::toggle};
}

void Findings::ok(const std::string& name, const std::string& text) {
  add(name, kOk, text, base::exit_ok);
}

void Findings::warn(const std::string& name, const std::string& text) {
  add(name, kWarning, text, base::exit_ok);
}

void Findings::not_checked(const std::string& name, const std::string& text) {
  add(name, kNotChecked, text, base::exit_ok);
}

void Findings::wrong(const std::string& name, const base::Error& error) {
  add(name, kWrong, error.what(), error.code());
}

bool Findings::look(const std::string& name, const std::function<std::string()>& look) {
  try {
    const std::string text = look();
    if (!text.empty()) ok(name, text);
    return true;
  } catch (const base::Error& error) {
    if (error.code() == base::exit_interrupted) throw;
    wrong(name, error);
    return false;
  }
}

void Findings::add(const std::string& name, const char* state, const std::string& text, int code) {
  if (code_ == base::exit_ok) code_ = code;
  const bool is_wrong = code != base::exit_ok;
  const std::string shown_name = base::one_line(name);
  const std::string line = base::one_line(text);
  if (form_ == Form::text) {
    print_text(env_, fmt::format("{}: {}: {}\n", shown_name, is_wrong ? "WRONG" : state, line));
    return;
  }
  json::Object object{{"name", shown_name}, {"ok", !is_wrong}, {"state", state}, {"finding", line}};
  if (is_wrong) object.push_back({"code", code});
  if (form_ == Form::lines) {
    print_json(env_, json::write(object) + "\n");
  } else {
    list_.emplace_back(std::move(object));
  }
}

int Findings::end() {
  if (form_ == Form::array) print_json(env_, json::write(list_) + "\n");
  return code_;
}

}  // namespace commands
