#pragma once

#include "builder/plan/planner.hpp"

#include <string>
#include <utility>
#include <vector>

namespace cairn::test {

using BuildArgs = std::vector<std::pair<std::string, std::string>>;

/// The plan of a Dockerfile for linux/amd64; every image has the environment PATH=/bin.
Plan language_plan(const std::string& text, const BuildArgs& build_args = {},
                   const std::string& target = "");

/// The same with what else the planner is told; platforms and arguments are those above.
Plan language_plan(const std::string& text, const BuildArgs& build_args, PlanOptions options);

/// "message\ndetail" of the Error that making the plan throws; "" when it throws none.
std::string language_error(const std::string& text, const BuildArgs& build_args = {});

/// The configuration of the image that comes out.
const ImageConfig& image_of(const Plan& plan);

/// What the image's environment says about a name, "unset" if nothing.
std::string env_of(const Plan& plan, const std::string& name);

/// The history entry of step `number` of the target.
const std::string& history_of(const Plan& plan, std::size_t number);

/// Step `number` of the target, which must be a RUN or a COPY.
const RunAction& run_of(const Plan& plan, std::size_t number);
const CopyAction& copy_of(const Plan& plan, std::size_t number);

} // namespace cairn::test
