#include "builder/plan/epoch.hpp"

#include "builder/plan/copy_operand.hpp"
#include "builder/plan/named_context.hpp"
#include "builder/plan/plan_limits.hpp"
#include "builder/plan/within_place.hpp"
#include "dockerfile/syntax/values.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace cairn {

namespace {

namespace in = instruction;

/// The last second that Time can hold, in the year 2262.
constexpr std::int64_t farthest = 9'223'372'036;

/// The ADD of a stage that stands for a time; `stage` gets its arguments. @throws Error
const in::Add& only_add(const Stage& from, const EpochSurroundings& around, StageConfig& stage) {
  const auto escape = around.dockerfile.directives.escape;
  const auto global = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = around.arguments.global.find(std::string(name));
    return found != around.arguments.global.end() ? std::optional(found->second) : std::nullopt;
  };
  if (expand_word(from.from.image, interruptible(global, around.cancel), escape) != "scratch")
    throw Error("SOURCE_DATE_EPOCH: its stage must be FROM scratch");
  const in::Add* only = nullptr;
  std::size_t sources = 0;
  for (const auto& instruction : from.instructions) {
    if (const auto* add = std::get_if<in::Add>(&instruction)) {
      only = add;
      sources += add->sources.size() + add->files.size();
    } else if (std::holds_alternative<in::Arg>(instruction)) {
      if (only == nullptr)
        apply_config(stage, instruction, around.arguments, escape);
    } else {
      throw Error("SOURCE_DATE_EPOCH: its stage holds a {}, and may hold ARG and one remote ADD",
                  instruction_name(instruction));
    }
  }
  if (sources != 1 || only->sources.empty())
    throw Error("SOURCE_DATE_EPOCH: its stage must hold exactly one ADD, of one remote source");
  return *only;
}

/// What that stage adds. @throws Error
RemoteSource added_source(const Stage& from, const EpochSurroundings& around) {
  StageConfig stage;
  stage.cancel = around.cancel;
  const auto& add = only_add(from, around, stage);
  const auto word = [&](const std::string& text) {
    return expand_word(text, stage.lookup(), around.dockerfile.directives.escape);
  };
  CopyAction action;
  action.kind = CopyAction::Kind::add;
  action.sources = {copy_operand(word(add.sources.front()), action.kind)};
  if (add.checksum)
    set_checksum(action, word(*add.checksum));
  if (add.keep_git_dir)
    set_keep_git_dir(action, *add.keep_git_dir);
  const auto& source = action.sources.front();
  if (const auto* url = std::get_if<UrlSource>(&source))
    return *url;
  if (const auto* git = std::get_if<GitSource>(&source))
    return *git;
  throw Error("SOURCE_DATE_EPOCH: its stage must hold exactly one ADD, of one remote source");
}

std::optional<Time> time_of(const NamedContext& context, const EpochSurroundings& around) {
  if (!around.remote_time)
    return std::nullopt;
  if (const auto* url = std::get_if<UrlSource>(&context))
    return around.remote_time(*url);
  if (const auto* git = std::get_if<GitSource>(&context))
    return around.remote_time(*git);
  return std::nullopt;
}

/// An archive may hold any time.
std::optional<Time> since_1970(std::optional<Time> time) {
  return time && *time >= Time{} ? time : std::nullopt;
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
    return since_1970(around.context_time);
  const auto& contexts = around.named_contexts;
  const auto named = std::find_if(contexts.begin(), contexts.end(), [&](const auto& known) {
    return equals_ignoring_case(known.first, value);
  });
  if (named != contexts.end())
    return since_1970(time_of(parse_named_context(named->second, Platform::host()), around));
  for (const auto& stage : around.dockerfile.stages) {
    if (!stage.name() || !equals_ignoring_case(*stage.name(), value))
      continue;
    const Place place{std::make_shared<SourceFile>(around.dockerfile.source), stage.from.range};
    return within_place(place, [&]() -> std::optional<Time> {
      const auto source = added_source(stage, around);
      return around.remote_time ? since_1970(around.remote_time(source)) : std::nullopt;
    });
  }
  refuse(value, around.place);
}

} // namespace cairn
