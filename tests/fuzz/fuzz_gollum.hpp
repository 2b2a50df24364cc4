// What holds of all that is made of a wiki digest, whatever is in it.
#pragma once

#include <string>

#include "base/utf8.hpp"
#include "fuzz.hpp"
#include "gollum/digest.hpp"
#include "gollum/filter.hpp"
#include "gollum/message.hpp"
#include "gollum/summary.hpp"
#include "json/raw.hpp"
#include "json/write.hpp"
#include "slack/message.hpp"

namespace fuzz {

// Slack's limits are kept, all of it is UTF-8 and escaped.
inline void expect_good_message(const slack::Message& message) {
  expect(base::utf16_length(message.text) <= slack::kMaxText, "the text keeps Slack's limit");
  expect(message.blocks.size() <= slack::kMaxBlocks, "there are not too many blocks");
  expect_harmless(message.text);
  size_t units = 0;
  for (const slack::Block& block : message.blocks) {
    const size_t length = base::utf16_length(block.text);
    expect(length > 0 && length <= slack::kMaxSectionText, "a block keeps Slack's limit",
           block.text);
    expect_harmless(block.text);
    units += length;
  }
  expect(units <= slack::kMaxTextOfAllBlocks, "all blocks together keep Slack's limit");
  expect(json::is_json(json::write(slack::payload(message))), "the payload is JSON");
}

inline void expect_good_digest(const gollum::Digest& digest) {
  constexpr size_t most_bytes = 1'000;
  expect_good_message(gollum::make_message(digest, {}));
  const std::string summary = gollum::summary_markdown(digest, "sent");
  expect_utf8(summary);
  const std::string told = json::write(gollum::to_json(digest, most_bytes));
  expect(told.size() <= most_bytes && json::is_json(told), "the outputs keep their limit", told);
  for (const gollum::Change& change : digest.changes) {
    const std::string& title = change.page.title;
    const gollum::Digest kept = gollum::filtered(digest, {.titles = {title}});
    expect(!kept.changes.empty(), "a page is found by its title", title);
    const gollum::Digest rest = gollum::filtered(digest, {.ignore_pages = {title}});
    expect(rest.changes.size() < digest.changes.size(), "a page is ignored by its title", title);
  }
}

}  // namespace fuzz
