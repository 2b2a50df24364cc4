#include <doctest/doctest.h>

#include <string>

#include "commands/roff.hpp"

using commands::roff_escape;
using commands::roff_from_text;

TEST_CASE("what a person pastes stays as it is: dashes, quotes, carets, backslashes") {
  CHECK(roff_escape("--retry 'a' `b` ~ ^ \\n") ==
        "\\-\\-retry \\(aqa\\(aq \\(gab\\(ga \\(ti \\(ha \\en");
}

TEST_CASE("no line of a text is a request") {
  CHECK(roff_escape(".SH x\n'br") == "\\&.SH x\n\\&\\(aqbr");
}

TEST_CASE("beyond ASCII by number") {
  CHECK(roff_escape("xoxb-…") == "xoxb\\-\\[u2026]");
}

TEST_CASE("hand-written parts: sections, paragraphs, literal lines, entries") {
  CHECK(roff_from_text("EXIT STATUS\nOne\nparagraph.\n\nAnother.\n") ==
        ".SH EXIT STATUS\nOne paragraph.\n.PP\nAnother.\n");
  CHECK(roff_from_text("EXAMPLES\nSee:\n\n    ls -l\n    .x\n\nDone.\n") ==
        ".SH EXAMPLES\nSee:\n.PP\n.RS 4\n.EX\nls \\-l\n\\&.x\n.EE\n.RE\n.PP\nDone.\n");
  CHECK(roff_from_text("FILES\n* /a b\n* /c\ntwo\nlines.\n\n* /d\nthe last\n") ==
        ".SH FILES\n.TP\n\\fB/a b\\fR\n.TQ\n\\fB/c\\fR\ntwo lines.\n.TP\n\\fB/d\\fR\nthe last\n");
}
