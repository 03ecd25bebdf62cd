#include "context/download/url_context.hpp"

#include "fs/archive/archive_file.hpp"
#include "util/error.hpp"

#include <fcntl.h>

#include <algorithm>

namespace cairn {

namespace {

constexpr std::uint64_t max_dockerfile = std::uint64_t{16} << 20;

} // namespace

ContextShape context_shape(const DownloadedFile& file) {
  return is_archive([&] { return file.open(); }) ? ContextShape::archive
                                                 : ContextShape::single_file;
}

std::optional<Time> download_time(const DownloadedFile& file) {
  if (file.modified != Time{})
    return file.modified;
  std::optional<Time> newest;
  read_archive([&] { return file.open(); },
               [&](const LayerEntry& entry, TarReader&) {
                 newest = std::max(newest, std::optional(entry.meta.mtime));
               },
               file.limit);
  return newest;
}

LocalContext unpack_download(const DownloadedFile& file, const std::string& name,
                             const std::string& temporary) {
  const auto content = file.open();
  if (context_shape(file) == ContextShape::archive)
    return unpack_context(*content, name, temporary, file.limit);
  TempDir directory(temporary, "context-");
  const auto alone = open_at(directory.fd(), "context", O_WRONLY | O_CREAT | O_EXCL, 0600);
  FileSink sink(alone);
  copy(*content, sink);
  auto root = open_at(directory.fd(), ".", O_RDONLY | O_DIRECTORY);
  auto path = directory.path();
  return {std::move(path), std::move(root), std::move(directory)};
}

DockerfileText dockerfile_of(const DownloadedFile& file, const std::string& name) {
  DockerfileText found;
  found.name = "Dockerfile";
  const auto content = file.open();
  found.text = within([&] { return read_all(*content, max_dockerfile); }, "read {}", name);
  if (found.text.find('\0') != std::string::npos)
    throw Error("{}: it is neither a tar archive nor a Dockerfile", name);
  return found;
}

} // namespace cairn
