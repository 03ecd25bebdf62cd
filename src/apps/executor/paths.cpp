#include "apps/executor/paths.hpp"

#include "builder/outputs/reports.hpp"
#include "util/rooted_path.hpp"

namespace cairn {

BuildOptions anchor_paths(BuildOptions options, const std::string& directory) {
  auto& output = options.output;
  const auto anchor = [&](std::string& path) {
    if (!path.empty() && !is_uploaded(path))
      path = join_path(directory, path);
  };
  anchor(output.tar_path);
  anchor(output.oci_layout_path);
  anchor(output.failed_push_layout_path);
  anchor(output.reports.builder_output);
  for (const auto file : report_files)
    anchor(output.reports.*file);
  for (auto& named : options.execution.named_paths)
    anchor(named.path);
  return options;
}

} // namespace cairn
