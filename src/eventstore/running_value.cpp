#include "eventstore/running_value.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "eventstore/data.hpp"
#include "json/raw.hpp"
#include "json/read.hpp"
#include "json/write.hpp"

namespace eventstore {

namespace {

using Kind = RunningValueSpec::Kind;

constexpr size_t kMostShown = 100;

base::Error bad_event(const Event& event, const std::string& why) {
  return {base::exit_bad_input, name_of(event) + why};
}

Decimal number_in(const Event& event, const std::string& field) {
  const std::string raw = raw_field(event, field);
  if (raw.empty()) {
    throw bad_event(event, json::is_json(event.data)
                               ? fmt::format(" has no {} in its data", field)
                               : fmt::format(" has no {}: its data is not JSON", field));
  }
  const auto value = json::try_parse(raw);
  const auto number = value ? decimal_of(*value) : std::nullopt;
  if (number) return *number;
  const std::string shown = base::shorten(base::one_line(raw), kMostShown);
  throw bad_event(event, fmt::format(": {} is {}, not a number of 64 bits", field, shown));
}

}  // namespace

Decimal RunningValue::total_with(const Decimal& value, const Event& event) const {
  if (spec_.kind == Kind::count) return {count_ + 1, 0};
  if (spec_.kind == Kind::max) return count_ == 0 ? value : std::max(total_, value);
  const auto sum = sum_of(total_, value);
  if (sum) return *sum;
  throw bad_event(event, fmt::format(": its {}, {}, makes the total {} larger than 64 bits hold",
                                     spec_.field, text_of(value), text_of(total_)));
}

void RunningValue::process(const Event& event) {
  const Decimal value = spec_.kind == Kind::count ? Decimal{1, 0} : number_in(event, spec_.field);
  const Decimal total = total_with(value, event);
  print_(said(spec_.say, event,
              {{"value", text_of(value)},
               {"total", text_of(total)},
               {"count", std::to_string(count_ + 1)},
               {"processor", spec_.processor}}));
  total_ = total;
  ++count_;
}

std::string RunningValue::state() const {
  if (count_ == 0) return "";
  return json::write(json::Object{{"total", text_of(total_)}, {"count", count_}});
}

void RunningValue::restore(const std::string& state) {
  if (state.empty()) return;
  const json::Value read = json::try_parse(state).value_or(json::Value());
  const auto total = read_decimal(json::string_at(read, "total"));
  const json::Value* count = json::find(read, "count");
  const auto* number = count == nullptr ? nullptr : std::get_if<int64_t>(&count->data);
  if (!total || number == nullptr || *number < 1) {
    throw base::Error(
        base::exit_bad_input,
        fmt::format("the stored value of processor {} is {}, and should be like "
                    "{{\"total\":\"12.5\",\"count\":2}}; set it right, or reset the checkpoint",
                    spec_.processor, base::shorten(base::one_line(state), kMostShown)));
  }
  total_ = *total;
  count_ = *number;
}

}  // namespace eventstore
