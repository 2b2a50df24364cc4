#include "udp/emodel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace udp {

namespace {

// G.113 has no values for Opus. These are an estimate, on the scale of telephone speech: Opus at
// 24 kbit/s or more is no worse than G.711 there, so Ie 0; it conceals a lost frame about as well
// as G.729A (Bpl 19) and not quite as well as G.711 with concealment (25.1), so Bpl 20.
const Codec kOpus{.name = "opus", .ie = 0, .bpl = 20, .frame_ms = 20};

const std::array<Codec, 4> kCodecs{{{.name = "g711", .ie = 0, .bpl = 4.3, .frame_ms = 20},
                                    {.name = "g711-plc", .ie = 0, .bpl = 25.1, .frame_ms = 20},
                                    {.name = "g729", .ie = 11, .bpl = 19, .frame_ms = 20},
                                    kOpus}};

constexpr double kBest = 93.2;       // R with all of G.107's parameters at their defaults
constexpr double kBurstRatio = 1.0;  // losses that do not depend on each other

double delay_impairment(double delay_ms) {
  if (delay_ms <= 100) return 0;
  const double x = std::log2(delay_ms / 100);
  const double near = std::pow(1 + std::pow(x, 6), 1.0 / 6);
  const double far = std::pow(1 + std::pow(x / 3, 6), 1.0 / 6);
  return 25 * (near - 3 * far + 2);
}

double equipment_impairment(const Codec& codec, double loss) {
  const double percent = 100 * loss;
  return codec.ie + (95 - codec.ie) * percent / (percent / kBurstRatio + codec.bpl);
}

}  // namespace

Codec codec_named(const std::string& name) {
  std::vector<std::string> names;
  for (const Codec& codec : kCodecs) {
    if (codec.name == name) return codec;
    names.push_back(codec.name);
  }
  throw base::Error(base::exit_usage, fmt::format("no codec is called '{}'; choose one of {}", name,
                                                  base::join(names, ", ")));
}

double rating(const Codec& codec, const Heard& heard) {
  return kBest - delay_impairment(heard.delay_ms) - equipment_impairment(codec, heard.loss);
}

double mos(double rating) {
  if (rating <= 0) return 1;
  if (rating >= 100) return 4.5;
  const double score = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6;
  return std::max(score, 1.0);  // the curve dips below 1 for the worst ratings
}

}  // namespace udp
