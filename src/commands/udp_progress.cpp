#include "commands/udp_progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/file.hpp"
#include "commands/report.hpp"
#include "commands/udp_options.hpp"

namespace commands {

namespace {

constexpr int64_t kLineEverySeconds = 10;

}  // namespace

UdpProgress::UdpProgress(const udp::SendingNow& now, udp::Codec codec, double jitter_buffer_ms,
                         bool is_quiet)
    : now_(now),
      codec_(std::move(codec)),
      jitter_buffer_ms_(jitter_buffer_ms),
      is_quiet_(is_quiet),
      is_terminal_(::isatty(STDERR_FILENO) == 1) {}

void UdpProgress::look(const udp::Sessions::Progress& progress) {
  const bool is_time = is_terminal_ || progress.second % kLineEverySeconds == 0;
  if (is_quiet_ || progress.second < 0 || !is_time) return;
  const auto number = static_cast<size_t>(progress.second);
  const uint64_t sent = now_.by_second[number % now_.by_second.size()];
  const udp::SecondResult& result = progress.result;
  if (sent == 0) return;  // the test is over
  const auto received = static_cast<double>(result.received);
  const double heard = received - static_cast<double>(result.late);
  const double lost = std::max(0.0, 1 - received / static_cast<double>(sent));
  const double unheard = std::max(0.0, 1 - heard / static_cast<double>(sent));
  const double delay_ms = received == 0 ? 0 : result.delay_sum_us / received / 1000;
  const double jitter_ms = received == 0 ? 0 : result.jitter_sum_us / received / 1000;
  const double mos = udp::mos(udp::rating(
      codec_, {.loss = unheard, .delay_ms = delay_ms + codec_.frame_ms + jitter_buffer_ms_}));
  const double late_ms = static_cast<double>(now_.worst_late_us) / 1000;
  if (!is_terminal_) {
    report_progress(kUdpLoad,
                    fmt::format("second {}: {} packets sent, {:.2f} % lost, jitter {:.2f} ms, "
                                "delay {:.1f} ms, MOS {:.2f}",
                                progress.second, sent, lost * 100, jitter_ms, delay_ms, mos));
    return;
  }
  if (!has_head_) {
    base::write_stderr("second  packets/s    loss %  jitter ms  delay ms   MOS  sent late ms\n");
  }
  has_head_ = true;
  base::write_stderr(
      fmt::format("{:>6}  {:>9}  {:>8.2f}  {:>9.2f}  {:>8.1f}  {:>4.2f}  {:>12.2f}\n",
                  progress.second, sent, lost * 100, jitter_ms, delay_ms, mos, late_ms));
}

}  // namespace commands
