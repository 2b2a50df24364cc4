#include "azure/script_report.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "base/text.hpp"
#include "net/base64.hpp"

namespace azure {

namespace {

constexpr size_t kMostInflatedBytes = 64U << 20U;
constexpr size_t kNumbers = 4;  // exit code, two totals, offset

struct Frame {
  char letter = 'o';
  std::optional<int64_t> exit_code;
  int64_t out_total = 0;
  int64_t err_total = 0;
  StreamPart part;
};

// Nothing for more than `most_bytes`.
std::optional<std::string> gunzip(std::string zipped, size_t most_bytes) {
  z_stream stream = {};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return std::nullopt;
  stream.next_in = reinterpret_cast<Bytef*>(zipped.data());
  stream.avail_in = static_cast<uInt>(zipped.size());
  std::string bytes;
  int state = Z_OK;
  while (state == Z_OK && bytes.size() <= most_bytes) {
    char chunk[65536];
    stream.next_out = reinterpret_cast<Bytef*>(chunk);
    stream.avail_out = sizeof chunk;
    state = inflate(&stream, Z_NO_FLUSH);
    bytes.append(chunk, sizeof chunk - stream.avail_out);
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END || bytes.size() > most_bytes) return std::nullopt;
  return bytes;
}

// "" for bytes that are lost.
std::string unpack(std::string_view base64, std::string_view mode, size_t most_bytes) {
  const std::optional<std::string> bytes = net::from_base64(base64);
  if (!bytes || (mode != "b" && mode != "z")) return "";
  return mode == "b" ? *bytes : gunzip(*bytes, most_bytes).value_or("");
}

// A frame is "<opening>BASE64 MODE <the numbers> " when it is whole. Without its opening only
// numbers that have a space before them are sure to have all their digits.
std::optional<Frame> read_frame(std::string_view text, const std::string& opening,
                                size_t most_bytes) {
  const size_t start = text.rfind(opening);
  const bool is_whole = start != std::string_view::npos;
  if (is_whole) text.remove_prefix(start + opening.size());
  if (!text.ends_with(' ')) return std::nullopt;
  text.remove_suffix(1);
  const std::vector<std::string> words = base::split(text, ' ');
  if (words.size() <= kNumbers || (is_whole && words.size() != kNumbers + 2)) return std::nullopt;
  const std::string* number = &words[words.size() - kNumbers];
  Frame frame;
  int64_t exit_code = 0;
  if (base::read_number(number[0], exit_code)) {
    frame.exit_code = exit_code;
  } else if (number[0] != "-") {
    return std::nullopt;
  }
  if (!base::read_number(number[1], frame.out_total) || frame.out_total < 0) return std::nullopt;
  if (!base::read_number(number[2], frame.err_total) || frame.err_total < 0) return std::nullopt;
  if (!base::read_number(number[3], frame.part.offset)) return std::nullopt;
  if (is_whole) frame.part.bytes = unpack(words[0], words[1], most_bytes);
  return frame;
}

// Every frame of this nonce, in the order of the text. One begins with its line, or where another
// on the same line ends.
std::vector<Frame> read_frames(std::string_view text, const std::string& nonce) {
  std::vector<Frame> frames;
  const std::string closing = nonce + "-";
  size_t begin = 0;
  size_t room_bytes = kMostInflatedBytes;
  for (size_t at = text.find(closing); at != std::string_view::npos;
       at = text.find(closing, at + 1)) {
    const size_t end = at + closing.size();
    const char letter = end < text.size() ? text[end] : ' ';
    if (letter != 'o' && letter != 'e') continue;
    std::string_view line = text.substr(begin, at - begin);
    line.remove_prefix(line.rfind('\n') + 1);  // npos + 1 == 0
    begin = end + 1;
    std::optional<Frame> frame = read_frame(line, nonce + "+" + letter + " ", room_bytes);
    if (!frame) continue;
    frame->letter = letter;
    room_bytes -= std::min(room_bytes, frame->part.bytes.size());
    frames.push_back(*std::move(frame));
  }
  return frames;
}

void add(Stream& stream, const StreamPart& part) {
  if (part.bytes.empty() || part.offset < 0 || part.offset > stream.total_bytes) return;
  if (static_cast<int64_t>(part.bytes.size()) > stream.total_bytes - part.offset) return;
  stream.parts.push_back(part);
  std::sort(stream.parts.begin(), stream.parts.end(),
            [](const StreamPart& a, const StreamPart& b) { return a.offset < b.offset; });
}

}  // namespace

std::optional<Report> read_report(const std::string& messages, const std::string& nonce) {
  const std::vector<Frame> frames = read_frames(messages, nonce);
  if (frames.empty()) return std::nullopt;
  Report report;
  report.exit_code = frames.back().exit_code;
  report.out.total_bytes = frames.back().out_total;
  report.err.total_bytes = frames.back().err_total;
  for (const Frame& frame : frames) add(frame.letter == 'o' ? report.out : report.err, frame.part);
  return report;
}

}  // namespace azure
