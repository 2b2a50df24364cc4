#include "commands/es_progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.hpp"
#include "commands/es_options.hpp"
#include "commands/report.hpp"

namespace commands {

namespace {

constexpr int64_t kTerminalEveryMs = 200;
constexpr int64_t kLineEveryMs = 10'000;

}  // namespace

// As one growing number: events of a stream, in $all bytes of the log.
uint64_t EsProgress::number_of(const eventstore::Place& place) const {
  if (place.kind != eventstore::Place::Kind::after) return 0;
  return is_all_ ? place.position.commit : place.revision + 1;
}

EsProgress::EsProgress(base::Clock clock, bool is_all, bool is_followed,
                       const eventstore::Place& first, const eventstore::Place& last)
    : clock_(std::move(clock)),
      is_all_(is_all),
      is_followed_(is_followed),
      is_terminal_(::isatty(STDERR_FILENO) == 1),
      first_(number_of(first)),
      last_(number_of(last)),
      begun_ms_(clock_.monotonic_ms()),
      told_ms_(begun_ms_) {}

void EsProgress::look(uint64_t events, const eventstore::Place& place) {
  if (is_live_) return;
  const uint64_t now = number_of(place);
  if (now >= last_) {  // older servers never say so
    if (is_followed_) live(events);
    return;
  }
  const int64_t now_ms = clock_.monotonic_ms();
  if (now_ms - told_ms_ < (is_terminal_ ? kTerminalEveryMs : kLineEveryMs)) return;
  told_ms_ = now_ms;
  const double seconds = static_cast<double>(now_ms - begun_ms_) / 1000;
  std::string text =
      fmt::format("{} events, {:.0f} a second", events, static_cast<double>(events) / seconds);
  if (now > first_) {
    const auto done = static_cast<double>(now - first_);
    const auto left = static_cast<double>(last_ - now);
    const auto left_s = static_cast<int64_t>(seconds / done * left);
    const std::string lag = is_all_ ? fmt::format("{:.0f} %", 100 * done / (done + left))
                                    : fmt::format("{} behind", last_ - now);
    text += fmt::format(", {}, about {} left", lag, base::duration(left_s * 1000));
  }
  if (is_terminal_) {
    report_state(text);
    has_line_ = true;
  } else {
    report_progress(kEsTail, text);
  }
}

void EsProgress::live(uint64_t events) {
  if (is_live_) return;
  end();
  is_live_ = true;
  report_progress(kEsTail, fmt::format("live, after {} events", events));
}

void EsProgress::end() {
  if (has_line_) report_state("");
  has_line_ = false;
}

}  // namespace commands
