#pragma once

#include "build/copy_step.hpp"
#include "build/git_library.hpp"
#include "build/planner.hpp"
#include "build/schedule.hpp"
#include "build/step_caches.hpp"
#include "build/warm.hpp"
#include "build/warm_images.hpp"
#include "context/downloader.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cairn {

/// What warming of Dockerfiles works with; all borrowed.
struct WarmFileServices {
  const WarmRequest& request;
  const WarmServices& services;
  const CacheDirectory& cache;
  const ImageMemory& memory;
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
