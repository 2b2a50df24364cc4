// JSON and YAML in. Holds: JSON that was read and written reads as the same; the three readers of
// JSON agree; YAML that was read is written as JSON.
#include "fuzz.hpp"
#include "json/append.hpp"
#include "json/fault.hpp"
#include "json/raw.hpp"
#include "json/read.hpp"
#include "json/write.hpp"

namespace {

// What was written reads again, and is then written as before.
void expect_stable(const json::Value& value) {
  const std::string written = json::write(value);
  fuzz::expect(json::is_json(written), "what is written is JSON", written);
  const auto again = json::try_parse(written);
  fuzz::expect(again.has_value(), "what is written is read", written);
  fuzz::expect(json::write(*again) == written, "what is read is written as it was", written);
}

void read_members(const std::string& text, const json::Value* whole) {
  std::string copy;
  json::ObjectAppender object(copy);
  size_t members = 0;
  const bool is_read = fuzz::takes([&] {
    json::each_member(text, "x.json", [&](const json::RawMember& member) {
      fuzz::expect(json::is_json(member.raw), "a member is JSON", member.raw);
      object.json("m" + std::to_string(members++), member.raw);
    });
  });
  object.close();
  if (is_read) fuzz::expect(json::is_json(copy), "members put together are JSON", copy);
  const json::Object* known = whole == nullptr ? nullptr : json::as_object(whole);
  if (known == nullptr) return;
  fuzz::expect(is_read && members == known->size(), "an object has as many members", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = fuzz::text_of(data, size);
  const auto value = json::try_parse(text);
  std::string why;
  const bool is_read = fuzz::takes([&] { json::parse(text, "x.json"); }, &why);
  fuzz::expect(is_read == value.has_value(), "both ways to parse agree", why);
  if (value) {
    fuzz::expect(json::is_json(text), "what is read is JSON");
    expect_stable(*value);
  }
  read_members(text, value ? &*value : nullptr);
  const auto fault = json::find_fault(text);
  fuzz::expect(!fault || fault->offset < text.size(), "a fault is in the text");
  fuzz::takes([&] { expect_stable(json::parse_yaml(text, "x.yaml")); });
  std::string quoted;
  json::append_string(quoted, text);
  const auto unquoted = json::try_parse(quoted);
  fuzz::expect(unquoted && *json::as_string(&*unquoted) == base::repair_utf8(text),
               "a text that was quoted is the same", quoted);
  return 0;
}
