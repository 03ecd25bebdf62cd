#pragma once

#include "builder/inputs/git_library.hpp"
#include "builder/plan/remote_source.hpp"
#include "context/download/downloader.hpp"

namespace cairn {

/// Fetches what it is asked about. The arguments are borrowed.
RemoteTime remote_time(Downloader& downloader, GitLibrary& repositories);

} // namespace cairn
