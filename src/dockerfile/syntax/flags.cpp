#include "dockerfile/syntax/flags.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>

namespace cairn {

namespace {

[[noreturn]] void refuse_unknown(std::string_view name,
                                 std::initializer_list<InstructionFlag> known) {
  std::vector<std::string> names;
  for (const auto& rule : known)
    names.push_back("--" + std::string(rule.name));
  const auto flag = "--" + printable(name);
  throw Error("unknown flag {}{}", flag, did_you_mean(flag, names));
}

void check_value(const InstructionFlag& rule, std::optional<std::string_view> value) {
  const bool boolean = rule.kind == FlagKind::boolean;
  if (!value && !boolean)
    throw Error("the flag --{} needs a value", rule.name);
  if (value && boolean && !equals_ignoring_case(*value, "true") &&
      !equals_ignoring_case(*value, "false"))
    throw Error("--{}={}: must be true or false", rule.name, printable(*value));
}

} // namespace

InstructionFlags::InstructionFlags(const std::vector<std::string>& written,
                                   std::initializer_list<InstructionFlag> known) {
  for (const auto& flag : written)
    add(flag, known);
}

void InstructionFlags::add(std::string_view flag, std::initializer_list<InstructionFlag> known) {
  flag.remove_prefix(2);
  const auto parts = cut(flag, '=');
  const auto name = parts ? parts->first : flag;
  const auto rule = std::find_if(known.begin(), known.end(),
                                 [&](const InstructionFlag& each) { return each.name == name; });
  if (rule == known.end())
    refuse_unknown(name, known);
  auto& values = values_[std::string(name)];
  if (!values.empty() && rule->kind != FlagKind::list)
    throw Error("the flag --{} is there twice", name);
  const auto value = parts ? std::optional(parts->second) : std::nullopt;
  check_value(*rule, value);
  values.emplace_back(value.value_or("true"));
}

std::optional<std::string> InstructionFlags::given(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : std::optional(found->second[0]);
}

std::optional<std::string> InstructionFlags::text(std::string_view name) const {
  auto value = given(name);
  return value && !value->empty() ? value : std::nullopt;
}

std::optional<bool> InstructionFlags::boolean(std::string_view name) const {
  const auto value = text(name);
  return value ? std::optional(equals_ignoring_case(*value, "true")) : std::nullopt;
}

std::vector<std::string> InstructionFlags::list(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

} // namespace cairn
