// Call quality by the E-model. Source: ITU-T G.107 (formulas), G.113 appendix I (codec values).
#pragma once

#include <string>

namespace udp {

struct Codec {
  std::string name;      // "g711", "g711-plc", "g729", "opus"
  double ie = 0;         // equipment impairment
  double bpl = 4.3;      // robustness against loss
  double frame_ms = 20;  // packetisation delay
};

// By name. Throws 64 that lists the names.
Codec codec_named(const std::string& name);

struct Heard {
  double loss = 0;  // share of packets, 0 to 1, lost on the way or too late for the jitter buffer
  double delay_ms = 0;  // mouth to ear: network, packetisation and jitter buffer
};

// The rating factor R: 93.2 at best, below 0 when nothing is understood.
double rating(const Codec& codec, const Heard& heard);

// The mean opinion score for a rating: 1 to 4.5.
double mos(double rating);

}  // namespace udp
