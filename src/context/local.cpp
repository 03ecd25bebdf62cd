#include "context/local.hpp"

#include "fs/archive/compress.hpp"
#include "fs/archive/filter.hpp"
#include "fs/archive/tar.hpp"
#include "fs/tree/unpack.hpp"
#include "util/beneath.hpp"
#include "util/error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <set>

namespace cairn {

namespace {

constexpr std::string_view directory_scheme = "dir://";
constexpr std::string_view tar_scheme = "tar://";

/// Gives back what was read to look at it, then the rest.
class PeekedSource final : public Source {
public:
  PeekedSource(Source& from, std::size_t count) : from_(from), head_(count, '\0') {
    const auto buffer = std::as_writable_bytes(std::span(head_));
    std::size_t have = 0;
    while (have < head_.size()) {
      const auto got = from_.read(buffer.subspan(have));
      if (got == 0)
        break;
      have += got;
    }
    head_.resize(have);
  }

  const std::string& head() const noexcept { return head_; }

  std::size_t read(std::span<std::byte> buffer) override {
    if (at_ == head_.size())
      return from_.read(buffer);
    const auto count = std::min(buffer.size(), head_.size() - at_);
    std::copy_n(std::as_bytes(std::span(head_)).begin() + static_cast<std::ptrdiff_t>(at_), count,
                buffer.begin());
    at_ += count;
    return count;
  }

private:
  Source& from_;
  std::string head_;
  std::size_t at_ = 0;
};

// The bytes of the tar; nothing when `from` already has them.
std::unique_ptr<Source> decompress(PeekedSource& from) {
  const std::string_view head = from.head();
  if (head.starts_with("\x1F\x8B"))
    return make_decompressor(from, Compression::gzip);
  if (head.starts_with("\x28\xB5\x2F\xFD"))
    return make_decompressor(from, Compression::zstd);
  if (head.starts_with("BZh") || head.starts_with("\xFD"
                                                  "7zXZ"))
    return make_filter_source(from);
  return nullptr;
}

/// Unpacks entries as files of this process, which may not be allowed to give them away.
class OwnUnpacker {
public:
  explicit OwnUnpacker(FdRef directory) : root_(directory), unpacker_(directory, {}) {}

  void add(LayerEntry entry, TarReader& reader) {
    add_above(entry.path, reader);
    entry.meta.uid = ::geteuid();
    entry.meta.gid = ::getegid();
    if (entry.meta.type != FileType::regular)
      known_.insert(entry.path);
    const auto mode = entry.meta.mode;
    if (entry.meta.type == FileType::directory && (mode & S_IRWXU) != S_IRWXU) {
      closed_.insert_or_assign(entry.path, mode);
      entry.meta.mode |= S_IRWXU;
    }
    unpacker_.add(entry, reader);
  }

  // Directories that may not be written are closed when all that is in them is there.
  void finish() {
    unpacker_.finish();
    for (auto last = closed_.rbegin(); last != closed_.rend(); ++last)
      if (const auto fd = open_beneath(root_, last->first, O_RDONLY | O_DIRECTORY))
        if (::fchmod(fd->get(), last->second) != 0)
          throw SysError(errno, "set mode of '{}'", last->first.relative());
  }

private:
  // Directories that the archive leaves out would belong to root otherwise.
  void add_above(const RootedPath& path, TarReader& reader) {
    const auto parent = path.parent();
    if (parent.is_root() || known_.contains(parent))
      return;
    LayerEntry directory;
    directory.path = parent;
    directory.meta.type = FileType::directory;
    directory.meta.mode = 0755;
    add(std::move(directory), reader);
  }

  FdRef root_;
  Unpacker unpacker_;
  std::set<RootedPath> known_; // directories, links and such
  std::map<RootedPath, mode_t> closed_;
};

/// The latest time of the entries.
std::optional<Time> unpack_into(FdRef directory, Source& archive, ExpansionLimit limit) {
  ExpansionGauge expansion(limit);
  MeasuredSource measured(archive, expansion);
  PeekedSource peeked(measured, 6);
  if (peeked.head().empty())
    throw Error("it is empty");
  const auto decompressed = decompress(peeked);
  TarLimits limits;
  limits.expansion = &expansion;
  TarReader reader(decompressed ? *decompressed : static_cast<Source&>(peeked), limits);
  OwnUnpacker unpacker(directory);
  std::optional<Time> newest;
  while (auto entry = reader.next()) {
    newest = std::max(newest, std::optional(entry->meta.mtime));
    unpacker.add(std::move(*entry), reader);
  }
  unpacker.finish();
  reader.drain();
  return newest;
}

LocalContext context_at(std::string path) {
  auto fd = open_directory(path);
  return {std::move(path), std::move(fd), std::nullopt};
}

/// What follows "dir://". kaniko's own examples write dir://workspace for /workspace.
std::string named_directory(std::string path) {
  const auto is_there = [](const std::string& name) {
    return try_open_at(current_directory(), name, O_PATH | O_DIRECTORY).has_value();
  };
  if (!path.empty() && !path.starts_with('/') && !is_there(path) &&
      is_there(fmt::format("/{}", path)))
    return fmt::format("/{}", path);
  return path;
}

bool is_stdin(std::string_view archive) {
  return archive == "stdin" || archive == "-";
}

LocalContext open_tar(const LocalContextRequest& request, const std::string& path) {
  if (is_stdin(path)) {
    Fd copy(::fcntl(request.standard_input.get(), F_DUPFD_CLOEXEC, 3));
    if (!copy)
      throw SysError(errno, "standard input");
    FileSource source(std::move(copy));
    return unpack_context(source, "standard input", request.temporary, request.limit);
  }
  FileSource source(open_at(current_directory(), path, O_RDONLY));
  return unpack_context(source, path, request.temporary, request.limit);
}

} // namespace

bool is_local_context(std::string_view context) noexcept {
  return context.starts_with(directory_scheme) || context.starts_with(tar_scheme) ||
         context.find("://") == std::string_view::npos;
}

std::optional<std::string> local_path(std::string_view context) {
  const bool is_archive = context.starts_with(tar_scheme);
  if (!is_local_context(context) || context == "-")
    return std::nullopt;
  if (is_archive)
    context.remove_prefix(tar_scheme.size());
  else if (context.starts_with(directory_scheme))
    context.remove_prefix(directory_scheme.size());
  if (context.empty() || (is_archive && is_stdin(context)))
    return std::nullopt;
  return std::string(context);
}

LocalContext open_local_context(const LocalContextRequest& request) {
  return within(
      [&] {
        const std::string_view text = request.context;
        auto context = [&] {
          if (text == "-")
            return open_tar(request, "-");
          if (text.starts_with(tar_scheme))
            return open_tar(request, std::string(text.substr(tar_scheme.size())));
          if (text.starts_with(directory_scheme))
            return context_at(named_directory(std::string(text.substr(directory_scheme.size()))));
          return context_at(std::string(text));
        }();
        enter_sub_path(context, request.sub_path);
        return context;
      },
      "build context '{}'", request.context);
}

LocalContext unpack_context(Source& archive, const std::string& name, const std::string& temporary,
                            ExpansionLimit limit) {
  TempDir directory(temporary, "context-");
  const auto newest =
      within([&] { return unpack_into(directory.fd(), archive, limit); }, "unpack {}", name);
  auto root = open_at(directory.fd(), ".", O_RDONLY | O_DIRECTORY);
  auto path = directory.path();
  return {std::move(path), std::move(root), std::move(directory), newest};
}

void enter_sub_path(LocalContext& context, const std::string& sub_path) {
  if (sub_path.empty())
    return;
  const auto inside = RootedPath::parse(sub_path);
  auto fd = open_in_root(context.root, inside, O_RDONLY | O_DIRECTORY, FinalLink::follow);
  if (!fd)
    throw Error("--context-sub-path '{}' is no directory in it", sub_path);
  context.root = std::move(*fd);
  context.path = join_path(context.path, inside.relative());
}

} // namespace cairn
