#pragma once

#include "context/download/download_store.hpp"
#include "context/local.hpp"

#include <optional>
#include <string>

namespace cairn {

/// What a download is when it is a build context: an archive, whose files are the context, or a
/// file that is alone in it, called "context".
enum class ContextShape { archive, single_file };

ContextShape context_shape(const DownloadedFile& file);

/// When the file was made: as the server says, or else the latest time of an archive's entries.
/// Nothing when neither says it.
std::optional<Time> download_time(const DownloadedFile& file);

/// The context as a directory below `temporary`. `name` is for messages. An archive may hold two
/// million entries, and as many bytes as the file's limit allows. @throws Error
LocalContext unpack_download(const DownloadedFile& file, const std::string& name,
                             const std::string& temporary);

/// The Dockerfile that a download is. @throws Error when it is no text
DockerfileText dockerfile_of(const DownloadedFile& file, const std::string& name);

} // namespace cairn
