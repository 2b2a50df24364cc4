#include "eventstore/type_filter.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/error.hpp"
#include "base/utf8.hpp"

namespace eventstore {

LocalFilter::LocalFilter(const Filter& filter) : filter_(filter) {
  if (filter.regex.empty()) return;
  re2::RE2::Options options;
  options.set_log_errors(false);
  regex_ = std::make_shared<const re2::RE2>(filter.regex, options);
  if (regex_->ok()) return;
  const bool is_type = filter.on == Filter::On::type;
  throw base::Error(
      base::exit_usage,
      fmt::format("the regular expression for {} is wrong: {}; on a single stream it "
                  "is RE2's, without look-around and back-references",
                  is_type ? "event types" : "streams", base::one_line(regex_->error())));
}

bool LocalFilter::takes(const Event& event) const {
  const std::string& name = filter_.on == Filter::On::type ? event.type : event.stream;
  if (regex_) return re2::RE2::PartialMatch(name, *regex_);
  for (const std::string& prefix : filter_.prefixes) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace eventstore
