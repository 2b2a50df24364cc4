// Numbers and columns of the control channel's messages, in and out. Reading throws 76 "the other
// side's words are none of this tool's: …" for what is missing, of another kind or out of range.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "json/value.hpp"

namespace udp::control {

// Times and sums beyond these are refused, so that their differences fit their types.
inline constexpr int64_t kMostTime = int64_t{1} << 60;  // ns, 36 years
inline constexpr double kMostSum = 1e18;

base::Error nonsense(const std::string& what);

const json::Value& member_in(const json::Value& object, const std::string& name);
int64_t whole_in(const json::Value& object, const std::string& name, int64_t least, int64_t most);
uint64_t count_in(const json::Value& object, const std::string& name);
double number_in(const json::Value& object, const std::string& name, double least, double most);
// Printable ASCII, at most so many bytes.
std::string text_in(const json::Value& object, const std::string& name, size_t most);

// Columns.
json::Value numbers_out(const std::vector<uint64_t>& numbers);
const json::Array& array_in(const json::Value& object, const std::string& name);
std::vector<uint64_t> counts_in(const json::Value& object, const std::string& name);
int64_t whole_of(const json::Value& value, const std::string& name, int64_t least, int64_t most);
uint64_t count_of(const json::Value& value, const std::string& name);
double number_of(const json::Value& value, const std::string& name, double least, double most);
std::string text_of(const json::Value& value, const std::string& name, size_t most);

// 16 hexadecimal digits.
std::string hex_of(uint64_t cookie);

}  // namespace udp::control
