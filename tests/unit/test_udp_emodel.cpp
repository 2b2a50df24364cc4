#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "udp/emodel.hpp"

namespace {

double rounded(double value, double steps) {
  return static_cast<double>(static_cast<int64_t>(value * steps + 0.5)) / steps;
}

}  // namespace

TEST_CASE("udp emodel: loss lowers R and MOS as G.107 and G.113 say") {
  struct Row {
    std::string codec;
    double loss, rating, mos;
  };
  const std::vector<Row> rows = {
      {"g711", 0, 93.2, 4.41},        {"g711", 0.01, 75.3, 3.83},
      {"g711", 0.02, 63.0, 3.26},     {"g711", 0.05, 42.1, 2.17},
      {"g711-plc", 0, 93.2, 4.41},    {"g711-plc", 0.01, 89.6, 4.33},
      {"g711-plc", 0.02, 86.2, 4.23}, {"g711-plc", 0.05, 77.4, 3.92},
      {"g729", 0, 82.2, 4.10},        {"g729", 0.01, 78.0, 3.95},
      {"g729", 0.02, 74.2, 3.79},     {"g729", 0.05, 64.7, 3.34},
  };
  for (const Row& row : rows) {
    CAPTURE(row.codec);
    CAPTURE(row.loss);
    const double r = udp::rating(udp::codec_named(row.codec), {.loss = row.loss, .delay_ms = 80});
    CHECK(rounded(r, 10) == doctest::Approx(row.rating));
    CHECK(rounded(udp::mos(r), 100) == doctest::Approx(row.mos));
  }
}

TEST_CASE("udp emodel: delay costs nothing up to 100 ms, then by the full formula") {
  struct Row {
    double delay_ms, impairment;
  };
  const std::vector<Row> rows = {{0, 0}, {100, 0}, {150, 0.16}, {200, 3.04}, {300, 14.76}};
  for (const Row& row : rows) {
    CAPTURE(row.delay_ms);
    const udp::Codec codec = udp::codec_named("g711");
    const double r = udp::rating(codec, {.loss = 0, .delay_ms = row.delay_ms});
    CHECK(rounded(93.2 - r, 100) == doctest::Approx(row.impairment));
  }
}

TEST_CASE("udp emodel: MOS stays within 1 and 4.5") {
  CHECK(udp::mos(-20) == 1);
  CHECK(udp::mos(0) == 1);
  CHECK(udp::mos(3) == 1);  // where the curve itself is below 1
  CHECK(udp::mos(100) == 4.5);
  CHECK(udp::mos(120) == 4.5);
  const double nothing_heard = udp::rating(udp::codec_named("g711"), {.loss = 1, .delay_ms = 0});
  CHECK(udp::mos(nothing_heard) == doctest::Approx(1.0).epsilon(0.02));
}

TEST_CASE("udp emodel: an unknown codec is refused with the known ones") {
  CHECK(udp::codec_named("opus").bpl == 20);
  try {
    udp::codec_named("G.711");
    FAIL("took it");
  } catch (const base::Error& error) {
    CHECK(error.code() == base::exit_usage);
    CHECK(std::string(error.what()) ==
          "no codec is called 'G.711'; choose one of g711, g711-plc, g729, opus");
  }
}
