#pragma once

#include <functional>
#include <string>

namespace cairn::test {

/// The message of the Error that `body` throws, with its detail; "" when it throws none.
std::string error_of(const std::function<void()>& body);

} // namespace cairn::test
