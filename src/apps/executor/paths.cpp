#include "apps/executor/paths.hpp"

#include "build/reports.hpp"
#include "util/rooted_path.hpp"

namespace cairn {

BuildOptions anchor_outputs(BuildOptions options, const std::string& directory) {
  auto& output = options.output;
  auto& reports = output.reports;
  for (auto* path : {&output.tar_path, &output.oci_layout_path, &reports.digest_file,
                     &reports.image_name_with_digest_file, &reports.image_name_tag_with_digest_file,
                     &reports.builder_output})
    if (!path->empty() && !is_uploaded(*path))
      *path = join_path(directory, *path);
  return options;
}

} // namespace cairn
