#include <doctest/doctest.h>
#include <zlib.h>

#include <string>

#include "azure/script_report.hpp"
#include "base/text.hpp"
#include "net/base64.hpp"

namespace {

const std::string kNonce = "0123456789abcdef";
const std::string kOther = "fedcba9876543210";

std::string frame(char letter, const std::string& data, const std::string& numbers) {
  return kNonce + "+" + letter + " " + data + " " + numbers + " " + kNonce + "-" + letter;
}

std::string gzip(const std::string& bytes) {
  z_stream stream = {};
  REQUIRE(deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string input = bytes;
  std::string output(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(output.data());
  stream.avail_out = static_cast<uInt>(output.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  output.resize(stream.total_out);
  deflateEnd(&stream);
  return output;
}

std::string messages(const std::string& out, const std::string& err) {
  return "Enable succeeded: \n[stdout]\n" + out + "\n\n[stderr]\n" + err + "\n";
}

azure::Report read(const std::string& text) {
  const auto report = azure::read_report(text, kNonce);
  REQUIRE(report.has_value());
  return *report;
}

}  // namespace

TEST_CASE("a report of both streams") {
  const std::string out = frame('o', net::base64("out"), "b 3 13 5 10");
  const std::string err = frame('e', net::base64(gzip("error")), "z 3 13 5 0");
  const std::string texts[] = {
      messages(out, err),
      messages(err, out),
      base::replace_all(messages(out, err), "\n", "\r\n"),
      out + err,
      "garbage " + out + " garbage\n[stderr]\n" + kNonce + "\n" + kNonce + "-\n" + kNonce + "-x\n" +
          err + "\n" + kNonce + "-o\n" + kNonce + "+e",
  };
  for (const std::string& text : texts) {
    CAPTURE(text);
    const auto report = read(text);
    CHECK(report.exit_code == 3);
    CHECK(report.out.total_bytes == 13);
    REQUIRE(report.out.parts.size() == 1);
    CHECK(report.out.parts[0].offset == 10);
    CHECK(report.out.parts[0].bytes == "out");
    CHECK(report.err.total_bytes == 5);
    REQUIRE(report.err.parts.size() == 1);
    CHECK(report.err.parts[0].offset == 0);
    CHECK(report.err.parts[0].bytes == "error");
  }
}

TEST_CASE("two parts of one stream, in the stream's order") {
  const std::string text = frame('e', net::base64("def"), "b - 0 6 3") + "\n" +
                           frame('e', net::base64("abc"), "b - 0 6 0") + "\n";
  const auto report = read(text);
  CHECK(!report.exit_code.has_value());
  CHECK(report.out.parts.empty());
  REQUIRE(report.err.parts.size() == 2);
  CHECK(report.err.parts[0].bytes == "abc");
  CHECK(report.err.parts[1].bytes == "def");
}

TEST_CASE("exit codes of Windows are 32 bits wide, and more is read") {
  CHECK(read(frame('o', "", "b -1073741819 0 0 0")).exit_code == -1073741819);
  CHECK(read(frame('o', "", "b 3221225477 0 0 0")).exit_code == 3221225477);
}

TEST_CASE("what is none of its frames is passed over") {
  for (const std::string& text :
       {std::string(),
        std::string("\n"),
        kNonce,
        kNonce + "-o",
        "\n" + kNonce + "-e",
        " " + kNonce + "-o",
        "1 2 3 " + kNonce + "-o",
        "0 0 0 0 " + kNonce + "-o",
        kNonce + "+o ",
        kNonce + "+o QQ== b 0 1 0 0",
        base::replace_all(frame('o', "QQ==", "b 0 1 0 0"), kNonce, kOther),
        frame('o', "QQ==", "b x 1 0 0"),
        frame('o', "QQ==", "b 0 -1 0 0"),
        frame('o', "QQ==", "b 0 1 -1 0"),
        frame('o', "QQ==", "b 0 1 0 x"),
        frame('o', "QQ==", "b 0 1 0 99999999999999999999"),
        frame('o', "QQ==", "b 0 1 0 0 0"),
        frame('o', "QQ==", "b  0 1 0 0"),
        frame('o', "QQ==", "b 0 1 0"),
        frame('x', "QQ==", "b 0 1 0 0")}) {
    CAPTURE(text);
    CHECK(!azure::read_report(text, kNonce).has_value());
  }
}

TEST_CASE("look-alikes of other scripts' frames change nothing") {
  const std::string fake = base::replace_all(frame('o', "QQ==", "b 0 1 0 0"), kNonce, kOther);
  const auto report = read(fake + "\n[stderr]\n" + fake + frame('o', "Qg==", "b 1 1 0 0") + fake +
                           "\n[stdout]\n" + fake);
  CHECK(report.exit_code == 1);
  REQUIRE(report.out.parts.size() == 1);
  CHECK(report.out.parts[0].bytes == "B");
}

TEST_CASE("damaged bytes are lost bytes, and the numbers stay") {
  const std::string zipped = gzip(std::string(100, 'x') + "some words");
  std::string wrong = zipped;
  wrong[wrong.size() - 6] = static_cast<char>(wrong[wrong.size() - 6] ^ 1);  // its checksum
  for (const std::string& data : {
           std::string("b@d b"), "Q b" + std::string(), "QQ== x" + std::string(),
           "QQ== z" + std::string(), " z" + std::string(),
           net::base64(zipped.substr(0, zipped.size() - 1)) + " z", net::base64(wrong) + " z",
           net::base64(gzip(std::string(201, 'x'))) + " z",  // more than the stream has
       }) {
    CAPTURE(data);
    const auto report = read(kNonce + "+o " + data + " 4 200 7 0 " + kNonce + "-o");
    CHECK(report.exit_code == 4);
    CHECK(report.out.total_bytes == 200);
    CHECK(report.err.total_bytes == 7);
    CHECK(report.out.parts.empty());
  }
  CHECK(read(frame('o', "QQ==", "b 0 5 0 -1")).out.parts.empty());
  CHECK(read(frame('o', "QQ==", "b 0 5 0 5")).out.parts.empty());
  CHECK(read(frame('o', "QQ==", "b 0 5 0 4")).out.parts.size() == 1);
}

TEST_CASE("a part of more than 64 MiB is not inflated") {
  const std::string more = net::base64(gzip(std::string((64U << 20U) + 1, '\0')));
  CHECK(read(frame('o', more, "z 0 99999999 0 0")).out.parts.empty());
}

TEST_CASE("all parts together are not inflated to more than 64 MiB") {
  const std::string half = net::base64(gzip(std::string(40U << 20U, 'x')));
  const std::string bomb =
      frame('o', half, "z 0 99999999 99999999 0") + frame('e', half, "z 0 99999999 99999999 0");
  const auto report = read(bomb);
  CHECK(report.out.parts.size() == 1);
  CHECK(report.err.parts.empty());
}

TEST_CASE("with its front cut off anywhere, a report tells what is left of it") {
  const std::string out = frame('o', net::base64("out"), "b 37 3 5 0");
  const std::string err = frame('e', net::base64("error"), "b 37 3 5 0");
  const std::string text = messages(out, err);
  const size_t out_start = text.find(out);
  const size_t err_start = text.find(err);
  const size_t last_numbers = text.rfind(" 37 3");
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    CAPTURE(cut);
    const auto report = azure::read_report(text.substr(cut), kNonce);
    CHECK(report.has_value() == (cut <= last_numbers));
    if (!report) continue;
    CHECK(report->exit_code == 37);
    CHECK(report->out.total_bytes == 3);
    CHECK(report->out.parts.size() == (cut <= out_start ? 1U : 0U));
    CHECK(report->err.parts.size() == (cut <= err_start ? 1U : 0U));
  }
}

// Each byte once: else two megabytes of these would take minutes.
TEST_CASE("closings without an opening, in one long line") {
  std::string text = "1 2 3 4 ";
  while (text.size() < 2'000'000) text += "x 0 1 1 0 " + kNonce + "-o ";
  CHECK(read(text).out.total_bytes == 1);
}
