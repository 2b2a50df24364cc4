#include <fmt/format.h>

#include "azure/script_text.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "net/base64.hpp"

namespace azure {

namespace {

// The wrapper's variables begin with w_ and are not exported.
constexpr std::string_view kHead = R"(#!/bin/sh
# @PRODUCT@ wrote this; the script it is about stands below in base64.
w_dir=/tmp/@PRODUCT@-@NONCE@
w_fail() { echo "@PRODUCT@: $1" >&2; exit 1; }
)";

constexpr std::string_view kPrepare = R"(w_text() { printf %s "$1" | base64 -d; }
command -v base64 >/dev/null 2>&1 || w_fail 'the script was not started: this machine has no base64'
w_why=$( (umask 077 && mkdir "$w_dir") 2>&1) || w_fail "the script was not started: $w_why"
w_full() { rm -rf "$w_dir"; w_fail "the script was not started: can't write in $w_dir; is the disk full?"; }
set --
)";

// The number of bytes tells every way to fail from success: a full disk, a base64 that is none.
constexpr std::string_view kSave = R"(base64 -d 2>/dev/null >"$w_dir/script" <<'END_OF_SCRIPT'
@SCRIPT@END_OF_SCRIPT
w_size=$(wc -c <"$w_dir/script" | tr -d ' ')
[ "$w_size" = @BYTES@ ] || w_full
)";

// What is not there is executed all the same, for the shell's own words and its 127.
constexpr std::string_view kPick = R"([ ! -e "$w_path" ] || [ -x "$w_path" ] || set -- "$@" @SHELL@
set -- "$@" "$w_path"
)";

constexpr std::string_view kPlain = R"((exec "$@") </dev/null
w_exit=$?
rm -rf "$w_dir"
exit "$w_exit"
)";

// Files, not pipes: what the script leaves running may hold them as long as it likes. They are
// appended to, so that a script's own >/dev/stderr, which empties the file, leaves no hole in it.
// The shell's remarks on how the script ended ("Killed") are dropped: the exit code says it.
constexpr std::string_view kRun =
    R"((: >"$w_dir/o" && : >"$w_dir/e") 2>/dev/null || w_full
{ (exec "$@") </dev/null >>"$w_dir/o" 2>>"$w_dir/e"; w_exit=$?; } 2>/dev/null
rm -f "$w_dir/script"
w_from_o=0
w_from_e=0
)";

constexpr std::string_view kFetch =
    R"([ -d "$w_dir" ] || w_fail "the output that was kept on this machine is gone: $w_dir"
w_exit=-
w_from_o=@OUT@
w_from_e=@ERR@
)";

// 2,910 bytes are 3,880 characters of base64. What does not fit shrinks by how much too large it
// was, by 1/39 at least. The sizes are taken once, as the files may still grow.
constexpr std::string_view kReport = R"sh(w_all_o=$(($(wc -c <"$w_dir/o")))
w_all_e=$(($(wc -c <"$w_dir/e")))
w_to_o=$w_all_o
w_to_e=$w_all_e
w_gzip=$(command -v gzip)
w_bytes() { tail -c "+$((w_at + 1))" "$w_dir/$1" 2>/dev/null | head -c "$w_size"; }
# Of file $1, what is left to send from byte $2 to byte $3: as much of it as fits in w_line.
w_frame() {
  w_data=
  w_mode=z
  w_size=$(($3 - $2))
  [ "$w_size" -le 1048576 ] || w_size=1048576
  while [ -n "$w_gzip" ] && [ "$w_size" -gt 2910 ]; do
    w_at=@AT@
    w_data=$(w_bytes "$1" | gzip -c | base64 | tr -d '\n')
    [ "${#w_data}" -gt 3880 ] || break
    w_size=$((w_size * 38 / (${#w_data} / 100 + 1)))
    w_data=
  done
  if [ -z "$w_data" ]; then
    w_mode=b
    w_size=$(($3 - $2))
    [ "$w_size" -le 2910 ] || w_size=2910
    w_at=@AT@
    w_data=$(w_bytes "$1" | base64 | tr -d '\n')
  fi
  w_line="@NONCE@+$1 $w_data $w_mode $w_exit $w_all_o $w_all_e $w_at @NONCE@-$1"
}
w_frame_o() { w_frame o "$w_from_o" "$w_to_o"; @LEFT@_o=@BORDER@; }
w_frame_e() { w_frame e "$w_from_e" "$w_to_e"; @LEFT@_e=@BORDER@; }
if [ "$w_from_o" -lt "$w_to_o" ]; then w_frame_o; else w_frame_e; fi
w_first=$w_line
if [ "$w_from_e" -lt "$w_to_e" ]; then w_frame_e; else w_frame_o; fi
@KEEP@rm -rf "$w_dir"
printf '%s\n' "$w_first"
printf '%s\n' "$w_line" >&2
exit 0
)sh";

constexpr std::string_view kUnlessLeft =
    R"([ "$w_from_o" -lt "$w_to_o" ] || [ "$w_from_e" -lt "$w_to_e" ] || )";

std::vector<Place> names(const std::string& nonce) {
  return {{"PRODUCT", PRODUCT_NAME}, {"NONCE", nonce}};
}

// From the start: what is left begins where the frame ends. Of the end: it ends where that begins.
std::string report(const std::string& nonce, bool from_start) {
  std::vector<Place> places = names(nonce);
  places.push_back({"AT", from_start ? "$2" : "$(($3 - w_size))"});
  places.push_back({"LEFT", from_start ? "w_from" : "w_to"});
  places.push_back({"BORDER", from_start ? "$((w_at + w_size))" : "$w_at"});
  places.push_back({"KEEP", from_start ? std::string(kUnlessLeft) : ""});
  return fill(kReport, places);
}

// A line that sets a variable of the wrapper to a foreign text. $(…) drops line breaks at the end,
// so a dot stands behind the text; no encoding has one as the second half of a character.
std::string set(const std::string& name, const std::string& text) {
  return fmt::format("{0}=$(w_text {1}); {0}=${{{0}%.}}\n", name, net::base64(text + "."));
}

std::string argument(const std::string& text) {
  return set("w_value", text) + "set -- \"$@\" \"$w_value\"\n";
}

// The interpreter and the one argument that Linux makes of all that follows it; nothing without #!.
std::vector<std::string> interpreter(const std::string& text) {
  if (!text.starts_with("#!")) return {};
  const std::string first = text.substr(0, text.find('\n'));
  const std::string line = base::trim(first.substr(2, first.find('\0') - 2));
  const size_t end = line.find_first_of(" \t");
  if (line.empty()) return {};
  if (end == std::string::npos) return {line};
  return {line.substr(0, end), base::trim(line.substr(end))};
}

// env takes what has a = in it for a variable.
void check_program(const std::string& path) {
  if (path.find('=') == std::string::npos) return;
  throw base::Error(base::exit_usage,
                    "named parameters can't be given to a program with = in its path; leave out "
                    "their names");
}

// Lines that append the program and its first arguments: what runs the script, and the script.
std::string program(const Script& script, bool has_names) {
  const std::string shell = script.shell == Shell::bash ? "bash" : "/bin/sh";
  if (!script.remote_path.empty()) {
    const bool is_absolute = script.remote_path.starts_with('/');
    const std::string path = (is_absolute ? "" : "./") + script.remote_path;
    if (has_names) check_program(path);
    return set("w_path", path) + fill(kPick, {{"SHELL", shell}});
  }
  std::string lines = fill(kSave, {{"BYTES", std::to_string(script.text.size())},
                                   {"SCRIPT", base64_lines(script.text)}});
  const std::vector<std::string> words = interpreter(script.text);
  if (words.empty()) return lines + fmt::format("set -- \"$@\" {} \"$w_dir/script\"\n", shell);
  if (has_names) check_program(words.front());
  for (const std::string& word : words) lines += argument(word);
  return lines + "set -- \"$@\" \"$w_dir/script\"\n";
}

}  // namespace

std::string wrap_sh(const Script& script, const std::string& nonce, Output output) {
  std::string variables;
  std::string arguments;
  for (const Parameter& parameter : script.parameters) {
    if (!parameter.name.empty()) variables += argument(parameter.name + "=" + parameter.value);
    arguments += argument(parameter.value);
  }
  for (const std::string& each : script.arguments) arguments += argument(each);
  std::string text = fill(kHead, names(nonce));
  text += kPrepare;
  if (!variables.empty()) text += "set -- env\n" + variables;
  text += program(script, !variables.empty()) + arguments;
  if (output == Output::plain) return text.append(kPlain);
  text += kRun;
  return text + report(nonce, output == Output::framed_from_start);
}

std::string fetch_sh(const std::string& nonce, int64_t out_offset, int64_t err_offset) {
  std::vector<Place> places = names(nonce);
  places.push_back({"OUT", std::to_string(out_offset)});
  places.push_back({"ERR", std::to_string(err_offset)});
  return fill(std::string(kHead) + std::string(kFetch), places) + report(nonce, true);
}

}  // namespace azure
