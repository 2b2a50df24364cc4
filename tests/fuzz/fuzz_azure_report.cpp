// What a wrapped script reported, out of whatever Azure returned; NONCE stands for the nonce.
// Holds: bytes come back from a frame whatever stands before it, parts are in order and within the
// stream; a tail that was read again gives what is new.
#include <algorithm>

#include "azure/run_command.hpp"
#include "azure/script_report.hpp"
#include "fuzz.hpp"
#include "net/base64.hpp"

namespace {

const std::string kNonce = "0123456789abcdef";

std::string frame(const std::string& bytes, const char* mode, size_t total) {
  return kNonce + "+o " + net::base64(bytes) + " " + mode + " 0 " + std::to_string(total) +
         " 0 0 " + kNonce + "-o\n";
}

void check_stream(const azure::Stream& stream) {
  int64_t last = 0;
  for (const azure::StreamPart& part : stream.parts) {
    const auto bytes = static_cast<int64_t>(part.bytes.size());
    fuzz::expect(bytes > 0 && part.offset >= last, "parts are in order");
    fuzz::expect(part.offset + bytes <= stream.total_bytes, "a part is within its stream");
    last = part.offset;
  }
}

void check_news(std::string_view before, std::string_view now) {
  const azure::News news = azure::news_of(before, now);
  fuzz::expect(now.ends_with(news.text), "news are the end", news.text);
  const std::string whole = std::string(before) + news.text;
  const bool may_be_cut = now.starts_with("\xEF\xBF\xBD");
  fuzz::expect(news.has_gap || may_be_cut || whole.ends_with(now), "without a gap nothing is lost",
               news.text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes = fuzz::text_of(data, size);
  const std::string text = base::replace_all(bytes, "NONCE", kNonce);
  if (const auto report = azure::read_report(text, kNonce)) {
    check_stream(report->out);
    check_stream(report->err);
  }
  const auto report = azure::read_report(text + "\n" + frame(bytes, "b", size), kNonce);
  fuzz::expect(report && report->exit_code == 0, "a frame is found");
  const auto& parts = report->out.parts;
  const bool has_bytes =
      size == 0 || std::any_of(parts.begin(), parts.end(), [&](const auto& part) {
        return part.offset == 0 && part.bytes == bytes;
      });
  fuzz::expect(has_bytes, "bytes come back");
  constexpr size_t plenty = 1U << 20U;
  if (const auto zipped = azure::read_report(frame(bytes, "z", plenty), kNonce)) {
    check_stream(zipped->out);
  }
  const size_t half = text.size() / 2;
  check_news(std::string_view(text).substr(0, half), std::string_view(text).substr(half));
  const std::string tail = text.substr(0, azure::kTailBytes);
  check_news(std::string(azure::kTailBytes, 'x') + tail, tail);
  return 0;
}
