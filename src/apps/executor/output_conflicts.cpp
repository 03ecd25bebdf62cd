#include "apps/executor/output_conflicts.hpp"

#include "builder/outputs/reports.hpp"
#include "builder/plan/named_context.hpp"
#include "builder/store/cache_setup.hpp"
#include "context/local.hpp"
#include "util/error.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace cairn {

namespace {

constexpr std::string_view layout_scheme = "oci-layout://";

/// A path that one flag has for itself.
struct Claim {
  std::string flag;
  std::string path;
};

/// Absolute and without links, as far as it exists.
std::string settled_path(const std::string& path) {
  std::error_code error;
  const auto whole = std::filesystem::weakly_canonical(std::filesystem::absolute(path), error);
  auto text = error ? path : whole.string();
  while (text.ends_with('/'))
    text.pop_back();
  return text;
}

/// A terminal or a pipe takes what comes, from however many.
bool is_stream(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

bool is_within(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

class Claims {
public:
  /// `names` below a directory, and nothing else of it.
  void add_directory(const std::string& flag, const std::string& path,
                     std::initializer_list<std::string_view> names) {
    for (const auto name : names)
      add(flag, settled_path(path) + "/" + std::string(name));
  }

  void add_layout(const std::string& flag, const std::string& path) {
    add_directory(flag, path, {"blobs", "index.json", "oci-layout"});
  }

  void add_file(const std::string& flag, const std::string& path) {
    if (!path.empty() && !is_uploaded(path) && !is_stream(path))
      add(flag, settled_path(path));
  }

private:
  void add(const std::string& flag, const std::string& path) {
    for (const auto& other : all_)
      if (is_within(path, other.path) || is_within(other.path, path))
        throw with_hint(Error("{} and {}: one would write over the other in '{}'", other.flag, flag,
                              is_within(path, other.path) ? path : other.path),
                        "give each a path of its own");
    all_.push_back({flag, path});
  }

  std::vector<Claim> all_;
};

void add_reports(Claims& claims, const ReportOptions& reports) {
  for (const auto& [flag, path] :
       {std::pair<std::string, const std::string&>{"--digest-file", reports.digest_file},
        {"--image-name-with-digest-file", reports.image_name_with_digest_file},
        {"--image-name-tag-with-digest-file", reports.image_name_tag_with_digest_file},
        {"--image-url-file", reports.image_url_file},
        {"--images-file", reports.images_file},
        {"--base-images-file", reports.base_images_file}})
    claims.add_file(flag, path);
}

/// An export removes what earlier ones left, so that it must have its layout for itself.
void check_exports(const BuildOptions& options) {
  for (const auto& target : options.cache_mounts.export_to)
    for (const auto& [name, source] : options.context.named)
      if (!target.reference && source.starts_with(layout_scheme)) {
        Claims claims;
        claims.add_layout("--build-context " + name, local_path_of(source).value());
        claims.add_layout("--export-cache-mounts", target.layout_path);
      }
}

void check_context(const std::string& flag, const std::string& path, const std::string& context) {
  if (!path.empty() && !context.empty() && settled_path(path) == settled_path(context))
    throw with_hint(Error("{} and --context: the layout would be written among the files of '{}'",
                          flag, context),
                    "give it a directory of its own");
}

} // namespace

void check_output_conflicts(const BuildOptions& options) {
  const auto& output = options.output;
  Claims claims;
  if (const auto cache = cache_directory(options.execution))
    claims.add_directory(
        "--cache-dir", *cache,
        {"blobs", "names", "steps", "indexes", "unpacked", "mounts", "git", "downloads"});
  if (!output.oci_layout_path.empty())
    claims.add_layout("--oci-layout-path", output.oci_layout_path);
  for (const auto& target : options.cache_mounts.export_to)
    if (!target.reference)
      claims.add_layout("--export-cache-mounts", target.layout_path);
  claims.add_file("--tar-path", output.tar_path);
  add_reports(claims, output.reports);
  check_exports(options);
  const auto context = local_path(options.context.context).value_or("");
  check_context("--oci-layout-path", output.oci_layout_path, context);
  for (const auto& target : options.cache_mounts.export_to)
    check_context("--export-cache-mounts", target.layout_path, context);
}

} // namespace cairn
