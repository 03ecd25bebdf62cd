#pragma once

#include "util/json.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cairn::test {

/// The rows of a table of the conformance data, or nothing, said on stderr, when it is not there.
std::optional<std::vector<Json>> conformance_table(const std::string& name);

/// The message of the Error that `body` throws, with its detail; "" when it throws none.
std::string error_of(const std::function<void()>& body);

} // namespace cairn::test
