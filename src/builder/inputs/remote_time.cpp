#include "builder/inputs/remote_time.hpp"

#include "context/download/url_context.hpp"

namespace cairn {

RemoteTime remote_time(Downloader& downloader, GitLibrary& repositories) {
  return [&](const RemoteSource& source) -> std::optional<Time> {
    if (const auto* git = std::get_if<GitSource>(&source))
      return repositories.get(*git)->commit.time;
    return download_time(downloader.fetch(std::get<UrlSource>(source)));
  };
}

} // namespace cairn
