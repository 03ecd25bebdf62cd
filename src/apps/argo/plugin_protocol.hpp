#pragma once

#include "apps/shared/registry_use.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cairn {

/// What Argo's executor plugins are asked and answer (docs/argo-plugin.md). A template that is for
/// this plugin has exactly one of resolve, check and warm below "plugin: {cairn: …}".

/// What a reference means at the moment.
struct ResolveTask {
  ImageRef image;
  std::optional<Platform> platform; ///< Nothing: an index stays one.
};

/// Whether the registries let us in.
struct CheckTask {
  std::vector<ImageRef> images;
  CheckDepth depth = CheckDepth::login;
};

/// Copies images to where a mirror is looked for.
struct WarmTask {
  std::vector<ImageRef> images;
  std::string target;              ///< "REGISTRY[/PREFIX]"
  std::vector<Platform> platforms; ///< Empty: all that there are.
};

using PluginTask = std::variant<ResolveTask, CheckTask, WarmTask>;

struct PluginRequest {
  std::string key; ///< The same for each call about a node: of the workflow and its template.
  std::optional<PluginTask> task; ///< Nothing: it is for another plugin.
};

/// The body of POST /api/v1/template.execute. @throws Error with what a node's message shall say
PluginRequest parse_plugin_request(std::string_view body);

enum class NodePhase { running, succeeded, failed, error };

/// What became of a node.
struct NodeResult {
  NodePhase phase = NodePhase::succeeded;
  std::string message;
  std::vector<std::pair<std::string, std::string>> outputs = {}; ///< Parameters.
};

/// The body of an answer; a running node is asked for again soon.
std::string plugin_reply(const NodeResult& result);
/// "{}": what another plugin shall be asked.
std::string not_ours();

} // namespace cairn
