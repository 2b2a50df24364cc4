// Text as roff source with the man(7) macros, for groff and mandoc. Lines are escaped: nothing in a
// text is taken for a request, quotes and dashes stay what a person can paste.
#pragma once

#include <string>
#include <string_view>

namespace commands {

// One line or several, escaped.
std::string roff_escape(std::string_view text);

// ".SH OPTIONS" and ".SS Delivery".
std::string roff_section(std::string_view title);
std::string roff_subsection(std::string_view title);

// Paragraphs, divided by empty lines, each filled by the reader's program.
std::string roff_paragraphs(std::string_view text);

// Lines as they stand, indented.
std::string roff_literal(std::string_view lines);

// An entry of a list: `tag` is roff already, `text` is not.
std::string roff_entry(const std::string& tag, std::string_view text);

// A part of a page that is written by hand, docs/man/*.txt:
//   a line in capitals begins a section; "* TAG", one or several, an entry, its text are the lines
//   until an empty one; lines that begin with four spaces stand as they are; all others are
//   paragraphs.
std::string roff_from_text(std::string_view text);

}  // namespace commands
