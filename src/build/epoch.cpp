#include "build/epoch.hpp"

#include "build/stage_graph.hpp"
#include "dockerfile/values.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cairn {

namespace {

namespace in = instruction;

/// The last second that Time can hold, in the year 2262.
constexpr std::int64_t farthest = 9'223'372'036;

constexpr const char* way_out = "give the seconds since 1970 instead";

/// Checks that a stage can stand for a time. @throws Error
void check_stage(const Stage& stage, const EpochSurroundings& around) {
  if (expand_word(stage.from.image, around.global, around.dockerfile.directives.escape) !=
      "scratch")
    throw Error("SOURCE_DATE_EPOCH: its stage must be FROM scratch");
  std::vector<std::string> sources;
  for (const auto& instruction : stage.instructions) {
    if (const auto* add = std::get_if<in::Add>(&instruction)) {
      sources.insert(sources.end(), add->sources.begin(), add->sources.end());
      sources.resize(sources.size() + add->files.size());
    } else if (!std::holds_alternative<in::Arg>(instruction))
      throw Error("SOURCE_DATE_EPOCH: its stage holds a {}, and may hold ARG and one remote ADD",
                  instruction_name(instruction));
  }
  if (sources.size() != 1 || !(sources[0].find("://") != std::string::npos ||
                               sources[0].starts_with("git@") || sources[0].starts_with('$')))
    throw Error("SOURCE_DATE_EPOCH: its stage must hold exactly one ADD, of one remote source");
}

[[noreturn]] void refuse(std::string_view value, const Place& place) {
  const auto message =
      fmt::format("SOURCE_DATE_EPOCH: '{}' is not a number of seconds since 1970, \"context\", a "
                  "build context or a stage",
                  printable(value));
  if (place.range.first > 0)
    throw error_at(*place.source, place.range, message);
  throw Error("{}", message);
}

} // namespace

std::optional<Time> resolve_epoch(std::string_view value, const EpochSurroundings& around) {
  if (value.empty())
    return std::nullopt;
  if (const auto seconds = parse_go_integer(value)) {
    if (*seconds < 0 || *seconds > farthest)
      refuse(value, around.place);
    return from_unix(*seconds);
  }
  if (value == "context")
    return around.context_time;
  const auto& contexts = around.named_contexts;
  if (std::any_of(contexts.begin(), contexts.end(),
                  [&](const auto& known) { return equals_ignoring_case(known.first, value); }))
    return std::nullopt;
  for (const auto& stage : around.dockerfile.stages) {
    if (!stage.name() || !equals_ignoring_case(*stage.name(), value))
      continue;
    const Place place{std::make_shared<SourceFile>(around.dockerfile.source), stage.from.range};
    return within_place(place, [&]() -> std::optional<Time> {
      check_stage(stage, around);
      throw with_hint(Error("SOURCE_DATE_EPOCH: the time of what stage {} adds is not known before "
                            "it is fetched, which is not supported",
                            *stage.name()),
                      way_out);
    });
  }
  refuse(value, around.place);
}

} // namespace cairn
