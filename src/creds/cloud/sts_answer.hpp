#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// The text of the first element called `name` in an XML document of AWS's query API, with the
/// five entities and numeric references resolved. Prefixes of namespaces count as part of a name.
/// Nothing when there is none, or when it holds other elements.
/// @throws Error when the document is not well formed as far as that takes, or has a DOCTYPE
std::optional<std::string> xml_element(std::string_view document, std::string_view name);

} // namespace cairn
