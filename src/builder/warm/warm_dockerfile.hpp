#pragma once

#include "builder/cache/step_caches.hpp"
#include "builder/execute/copy_step.hpp"
#include "builder/execute/schedule.hpp"
#include "builder/inputs/git_library.hpp"
#include "builder/plan/planner.hpp"
#include "builder/warm/warm_images.hpp"
#include "builder/warm/warm_request.hpp"
#include "context/download/downloader.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cairn {

/// What warming of Dockerfiles works with; all borrowed.
struct WarmFileServices {
  const WarmRequest& request;
  const WarmServices& services;
  const CacheDirectory& cache;
  const ImageResolutionCache& memory;
  const BlobFetcher& fetcher;
  Downloader& downloader;
  GitLibrary& repositories;
  Workspace& workspace;
};

/// Dockerfiles, and what is to be had for builds of them.
class WarmDockerfiles {
public:
  explicit WarmDockerfiles(const WarmFileServices& services);
  ~WarmDockerfiles();
  WarmDockerfiles(const WarmDockerfiles&) = delete;
  WarmDockerfiles& operator=(const WarmDockerfiles&) = delete;

  /// Has `images` find all that the Dockerfiles name, for all platforms.
  void find_images(WarmImages& images);
  /// Fetches the steps that the repository has, for Dockerfiles without a failure.
  void fetch_steps();

  std::vector<WarmedDockerfile> outcomes() const;

private:
  /// One Dockerfile for one platform.
  struct File;

  std::vector<Platform> platforms() const;
  DockerfileText read(const std::string& name) const;
  LanguageOptions language(const Platform& platform) const;
  void find_images(File& file, WarmImages& images) const;
  void fetch_steps(File& file) const;
  void keep_steps(File& file, const Schedule& schedule) const;

  WarmFileServices services_;
  LocalContext context_;
  std::vector<std::unique_ptr<File>> files_;
};

} // namespace cairn
