#include "commands/roff.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/text.hpp"
#include "base/utf8.hpp"

namespace commands {

namespace {

constexpr size_t kWidth = 78;  // of the source's lines

std::string escaped_line(std::string_view line) {
  std::string text;
  if (line.starts_with('.') || line.starts_with('\'')) text = "\\&";
  for (size_t at = 0; at < line.size();) {
    const char32_t c = base::next_code_point(line, at);
    if (c == '\\') {
      text += "\\e";
    } else if (c == '-') {
      text += "\\-";
    } else if (c == '\'') {
      text += "\\(aq";
    } else if (c == '`') {
      text += "\\(ga";
    } else if (c == '^') {
      text += "\\(ha";
    } else if (c == '~') {
      text += "\\(ti";
    } else if (c > 0x7E) {
      text += fmt::format("\\[u{:04X}]", static_cast<uint32_t>(c));
    } else {
      text += static_cast<char>(c);
    }
  }
  return text;
}

std::string filled(std::string_view paragraph) {
  return roff_escape(base::wrap(paragraph, 0, kWidth)) + "\n";
}

bool is_title(const std::string& line) {
  return !line.empty() && line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ ") == line.npos;
}

// The lines from `at` on for which `belongs` holds, without `indent` columns each.
template <typename Belongs>
std::string lines_while(const std::vector<std::string>& lines, size_t& at, size_t indent,
                        Belongs belongs) {
  std::string text;
  for (; at < lines.size() && belongs(lines[at]); ++at) text += lines[at].substr(indent) + "\n";
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace

std::string roff_escape(std::string_view text) {
  std::vector<std::string> lines = base::split(text, '\n');
  for (std::string& line : lines) line = escaped_line(line);
  return base::join(lines, "\n");
}

std::string roff_section(std::string_view title) {
  return fmt::format(".SH {}\n", roff_escape(title));
}

std::string roff_subsection(std::string_view title) {
  return fmt::format(".SS {}\n", roff_escape(title));
}

std::string roff_paragraphs(std::string_view text) {
  std::string roff;
  for (const std::string& line : base::split(text, '\n')) {
    if (line.empty()) continue;
    roff += (roff.empty() ? "" : ".PP\n") + filled(line);
  }
  return roff;
}

std::string roff_literal(std::string_view lines) {
  return fmt::format(".PP\n.RS 4\n.EX\n{}\n.EE\n.RE\n", roff_escape(lines));
}

std::string roff_entry(const std::string& tag, std::string_view text) {
  return fmt::format(".TP\n{}\n{}", tag, filled(text));
}

std::string roff_from_text(std::string_view text) {
  const std::vector<std::string> lines = base::split(text, '\n');
  const auto is_literal = [](const std::string& line) { return line.starts_with("    "); };
  const auto is_tag = [](const std::string& line) { return line.starts_with("* "); };
  const auto is_prose = [&](const std::string& line) { return !line.empty() && !is_literal(line); };
  std::string roff;
  bool is_first = true;  // of its section: needs no macro for a paragraph
  for (size_t at = 0; at < lines.size();) {
    const std::string& line = lines[at];
    if (line.empty()) {
      ++at;
    } else if (is_title(line)) {
      roff += roff_section(line);
      is_first = true;
      ++at;
    } else if (is_tag(line)) {
      const std::string tags = roff_escape(lines_while(lines, at, 2, is_tag));
      const std::string about = lines_while(lines, at, 0, is_prose);
      roff +=
          roff_entry(fmt::format("\\fB{}\\fR", base::replace_all(tags, "\n", "\\fR\n.TQ\n\\fB")),
                     base::replace_all(about, "\n", " "));
      is_first = false;
    } else if (is_literal(line)) {
      roff += roff_literal(lines_while(lines, at, 4, is_literal));
      is_first = false;
    } else {
      if (!is_first) roff += ".PP\n";
      roff += filled(base::replace_all(lines_while(lines, at, 0, is_prose), "\n", " "));
      is_first = false;
    }
  }
  return roff;
}

}  // namespace commands
