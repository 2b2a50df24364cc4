#include "eventstore/timestamp.hpp"

#include <algorithm>
#include <chrono>

#include "base/text.hpp"

namespace eventstore {

namespace {

using Ticks = std::chrono::duration<int64_t, std::ratio<1, 10'000'000>>;
using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr int kDigitsOfTick = 7;

constexpr int64_t ticks_at(int year, unsigned month, unsigned day) {
  const sys_days date{std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day)};
  return Ticks(date.time_since_epoch()).count();
}

void append_digits(int64_t number, size_t width, std::string& to) {
  to.append(width, '0');
  for (size_t at = to.size() - 1; number > 0; --at, number /= 10) {
    to[at] = static_cast<char>('0' + number % 10);
  }
}

// Takes `width` digits off the front.
bool take_number(std::string_view& text, size_t width, int& number) {
  const std::string_view digits = text.substr(0, width);
  if (digits.size() < width || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return false;
  }
  text.remove_prefix(width);
  return base::read_number(digits, number);
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// ".5" and the like, or nothing at all.
bool take_fraction(std::string_view& text, int64_t& ticks) {
  ticks = 0;
  if (!take(text, '.')) return true;
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > 9) return false;
  std::string seven(text.substr(0, digits));
  seven.resize(kDigitsOfTick, '0');
  text.remove_prefix(digits);
  return base::read_number(seven, ticks);
}

bool take_offset(std::string_view& text, int64_t& minutes) {
  minutes = 0;
  if (take(text, 'Z') || take(text, 'z')) return true;
  const bool is_west = text.starts_with('-');
  int hour = 0;
  int minute = 0;
  if (!take(text, '+') && !take(text, '-')) return false;
  if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute)) {
    return false;
  }
  minutes = (is_west ? -1 : 1) * (int64_t{hour} * 60 + minute);
  return hour < 24 && minute < 60;
}

}  // namespace

void append_time(int64_t ticks, std::string& to) {
  ticks = std::clamp(ticks, ticks_at(0, 1, 1), ticks_at(10'000, 1, 1) - 1);
  const sys_days date = std::chrono::floor<days>(std::chrono::sys_time<Ticks>(Ticks(ticks)));
  const year_month_day parts(date);
  const int64_t of_day = ticks - Ticks(date.time_since_epoch()).count();
  const int64_t second = of_day / kTicksPerSecond;
  append_digits(int{parts.year()}, 4, to);
  to += '-';
  append_digits(unsigned{parts.month()}, 2, to);
  to += '-';
  append_digits(unsigned{parts.day()}, 2, to);
  to += 'T';
  append_digits(second / 3'600, 2, to);
  to += ':';
  append_digits(second / 60 % 60, 2, to);
  to += ':';
  append_digits(second % 60, 2, to);
  to += '.';
  append_digits(of_day % kTicksPerSecond, kDigitsOfTick, to);
  to += 'Z';
}

bool read_time(std::string_view text, int64_t& ticks) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int64_t fraction = 0;
  int64_t offset_minutes = 0;
  const bool has_date = take_number(text, 4, year) && take(text, '-') &&
                        take_number(text, 2, month) && take(text, '-') && take_number(text, 2, day);
  if (!has_date || !(take(text, 'T') || take(text, 't') || take(text, ' '))) return false;
  const bool has_time = take_number(text, 2, hour) && take(text, ':') &&
                        take_number(text, 2, minute) && take(text, ':') &&
                        take_number(text, 2, second) && take_fraction(text, fraction) &&
                        take_offset(text, offset_minutes);
  if (!has_time || !text.empty() || hour > 23 || minute > 59 || second > 60) return false;
  const auto date = std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) /
                    std::chrono::day(static_cast<unsigned>(day));
  if (!date.ok()) return false;
  const int64_t seconds =
      int64_t{hour} * 3'600 + int64_t{minute} * 60 + second - offset_minutes * 60;
  ticks = ticks_at(year, static_cast<unsigned>(month), static_cast<unsigned>(day)) +
          seconds * kTicksPerSecond + fraction;
  return true;
}

}  // namespace eventstore
