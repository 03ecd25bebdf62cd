#include "builder/plan/plan_limits.hpp"

#include "oci/image_config.hpp"
#include "util/cancelled.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <utility>

namespace cairn {

namespace {

constexpr std::uint64_t longest_variable = std::uint64_t{128} << 10;
constexpr std::uint64_t most_variables = std::uint64_t{2} << 20;
constexpr std::uint64_t largest_plan = std::uint64_t{256} << 20;

} // namespace

void check_variable(std::string_view name, std::string_view value) {
  const auto size = name.size() + value.size() + 2; // "=" and the NUL
  if (size > longest_variable)
    throw Error("the variable {} would have {} bytes, and no command can be started with one of "
                "more than {}",
                printable(name.substr(0, 80)), size, longest_variable);
}

void check_variables(const Environment& variables) {
  if (variables.bytes() > most_variables)
    throw Error("all variables together would have {} bytes, and no command can be started with "
                "more than {}",
                variables.bytes(), most_variables);
}

void check_cancelled(const std::atomic<bool>* cancel) {
  if (cancel != nullptr && *cancel)
    throw Cancelled("the build was told to stop");
}

VariableLookup interruptible(VariableLookup lookup, const std::atomic<bool>* cancel) {
  return [lookup = std::move(lookup), cancel](std::string_view name) {
    check_cancelled(cancel);
    return lookup(name);
  };
}

void PlanLimits::add(std::uint64_t history, std::uint64_t more) {
  history_ += history;
  all_ += history + more;
  if (history_ > largest_image_config)
    throw Error("the history of the image would have more than {} bytes, as much as a "
                "configuration may have",
                largest_image_config);
  if (all_ > largest_plan)
    throw Error("the steps up to here take more than {} bytes once their variables are expanded",
                largest_plan);
}

} // namespace cairn
