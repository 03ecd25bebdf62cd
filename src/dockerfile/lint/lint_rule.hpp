#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// The build checks of frontend 1.26.
enum class LintRule {
  stage_name_casing,
  from_as_casing,
  no_empty_continuation,
  consistent_instruction_casing,
  duplicate_stage_name,
  reserved_stage_name,
  json_args_recommended,
  maintainer_deprecated,
  undefined_arg_in_from,
  workdir_relative_path,
  undefined_var,
  multiple_instructions_disallowed,
  legacy_key_value_format,
  invalid_base_image_platform,
  redundant_target_platform,
  secrets_used_in_arg_or_env,
  invalid_default_arg_in_from,
  from_platform_flag_const_disallowed,
  copy_ignored_file,
  invalid_definition_description,
  expose_proto_casing,
  expose_invalid_format,
};

enum class RuleState {
  stable,      ///< Checked unless it is skipped.
  experimental ///< Checked when it is asked for, whatever is skipped.
};

struct LintRuleInfo {
  std::string_view name;        ///< As in directives: "UndefinedVar".
  std::string_view description; ///< What the rule is about, whatever broke it.
  std::string_view slug;        ///< Its page in the documentation; "" when it has none.
  RuleState state = RuleState::stable;
};

const LintRuleInfo& info(LintRule rule);

/// The address of the rule's page; "" when it has none.
std::string url(LintRule rule);

std::optional<LintRule> find_lint_rule(std::string_view name);

} // namespace cairn
