// What the fuzz targets share. A target is one function from bytes to a parser of foreign bytes.
// The parser may take them, or refuse them with base::Error; what it makes of them has properties,
// which expect() checks. All else (another exception, a sanitizer's finding, a defect of ours by
// exit code 70, more than 10 s or 1 GiB) is a finding: libFuzzer then keeps the input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "net/http.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace fuzz {

inline std::string text_of(const uint8_t* data, size_t size) {
  return size == 0 ? "" : std::string(reinterpret_cast<const char*>(data), size);
}

// Ends the process when a property does not hold.
inline void expect(bool holds, const char* property, std::string_view seen = "") {
  if (holds) return;
  std::fprintf(stderr, "fuzz: this does not hold: %s: '%.*s'\n", property,
               static_cast<int>(seen.size()), seen.data());
  std::abort();
}

// Lets the parser refuse. False when it did; `why` is then the error's text.
template <typename Parse>
bool takes(const Parse& parse, std::string* why = nullptr) {
  try {
    parse();
    return true;
  } catch (const base::Error& error) {
    const std::string text = error.what();
    expect(!text.empty(), "an error has a text");
    expect(error.code() != base::exit_our_bug, "no error is a defect of ours", text);
    if (why != nullptr) *why = text;
    return false;
  }
}

inline void expect_utf8(std::string_view text) {
  expect(!base::first_invalid_utf8(text), "text that goes on is UTF-8", text);
}

// mrkdwn made of foreign text does nothing: each & is a whole escape, and each < begins a link to
// the web that is closed.
inline void expect_harmless(std::string_view mrkdwn) {
  expect_utf8(mrkdwn);
  for (size_t at = mrkdwn.find_first_of("&<"); at != std::string_view::npos;
       at = mrkdwn.find_first_of("&<", at + 1)) {
    const std::string_view rest = mrkdwn.substr(at);
    const bool is_escape =
        rest.starts_with("&amp;") || rest.starts_with("&lt;") || rest.starts_with("&gt;");
    const bool is_link =
        base::lower_ascii(rest.substr(0, 5)) == "<http" && rest.find('>') < rest.find('<', 1);
    expect(rest.front() == '&' ? is_escape : is_link, "mrkdwn is escaped", rest);
  }
}

// The text up to the first line break, which is taken away with it.
inline std::string take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string line(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// A reply written as "STATUS\nname: value\n…\n\nBODY", names in lower case as net::Http gives them.
inline net::HttpResponse reply_of(std::string_view text) {
  net::HttpResponse reply;
  if (!base::read_number(take_line(text), reply.status)) reply.status = 200;
  while (!text.empty()) {
    const std::string line = take_line(text);
    const size_t colon = line.find(':');
    if (colon == std::string::npos) break;
    reply.headers.emplace_back(base::lower_ascii(line.substr(0, colon)),
                               base::trim(line.substr(colon + 1)));
  }
  reply.body = text;
  return reply;
}

}  // namespace fuzz
