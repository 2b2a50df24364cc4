// Reads what a wrapped script reported: the frames that azure/script.hpp describes, out of whatever
// text Azure returned.
//
// Never fails: what is none of this nonce's frames is passed over, whatever it looks like; a frame
// that lost its front still tells its numbers; damaged bytes are lost bytes. All parts
// together are inflated to at most 64 MiB.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace azure {

struct StreamPart {
  int64_t offset = 0;
  std::string bytes;  // never empty, never beyond the stream's end
};

struct Stream {
  int64_t total_bytes = 0;        // that the script printed
  std::vector<StreamPart> parts;  // in ascending order; usually one or two
};

struct Report {
  std::optional<int64_t> exit_code;  // none in the report of a later run (azure::fetch)
  Stream out;
  Stream err;
};

// `messages`: Azure's texts, one behind the other, in any order. Nothing when the numbers of no
// frame with this nonce are in them.
std::optional<Report> read_report(const std::string& messages, const std::string& nonce);

}  // namespace azure
