#include "builder/execute/content_digest.hpp"

#include "builder/cache/step_key.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/parallel.hpp"
#include "util/threads.hpp"

#include <fmt/core.h>

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace cairn {

namespace {

// Files whose digests are in memory at a time.
constexpr std::size_t window = 4096;

/// Of the clock that file systems stamp their files with.
Time kernel_time() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return from_unix(now.tv_sec, now.tv_nsec);
}

std::byte digit(char c) {
  return static_cast<std::byte>(c <= '9' ? c - '0' : c - 'a' + 10);
}

ContextDigests::Digest parse_hex(const std::string& hex) {
  ContextDigests::Digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest[i] = digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]);
  return digest;
}

ContextDigests::Digest digest_of(Source& from, std::vector<std::byte>& buffer) {
  Sha256 hash;
  while (const auto count = from.read(buffer))
    hash.write(std::span(buffer).first(count));
  return parse_hex(hash.hex());
}

void add_metadata(KeyHash& hash, const LayerEntry& entry) {
  const auto& meta = entry.meta;
  hash.add("path", entry.path.str())
      .add("file", fmt::format("{} {:o} {}:{} {} {}:{}", static_cast<int>(meta.type), meta.mode,
                               meta.uid, meta.gid, meta.size, meta.device_major, meta.device_minor))
      .add("link", meta.link_target)
      .add("hard link", entry.hard_link ? entry.hard_link->str() : "");
  for (const auto& xattr : meta.xattrs)
    hash.add(xattr.name, xattr.value);
}

/// The digests of some files that stand together in a list.
class Window {
public:
  Window(const LayerContent& content, ContextDigests& known, std::size_t begin)
      : content_(content), known_(known), begin_(begin),
        files_(std::min(window, content.entries.size() - begin)) {}

  void add_to(KeyHash& hash) {
    for (std::size_t i = 0; i < files_.size(); ++i)
      look_up(i);
    read_others();
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const auto entry = content_.entries[begin_ + i];
      add_metadata(hash, entry);
      if (!entry.has_content())
        continue;
      const auto& digest = *files_[i].digest;
      hash.add("content", {reinterpret_cast<const char*>(digest.data()), digest.size()});
      remember(i);
    }
  }

private:
  struct File {
    std::optional<FileStamp> stamp;
    std::optional<ContextDigests::Digest> digest;
    bool is_read = false;
  };

  void look_up(std::size_t i) {
    if (!content_.entries[begin_ + i].has_content())
      return;
    auto& file = files_[i];
    if (content_.stamp)
      file.stamp = content_.stamp(begin_ + i);
    if (file.stamp)
      file.digest = known_.find(*file.stamp);
    if (!file.digest)
      unread_.push_back(i);
  }

  void read_others() {
    seen_ = kernel_time();
    const auto threads = std::min(useful_threads(), unread_.size());
    parallel_for(threads, threads, [&](std::size_t first) {
      const auto open = content_.reader();
      std::vector<std::byte> buffer(stream_block);
      for (auto n = first; n < unread_.size(); n += threads)
        files_[unread_[n]].digest = digest_of(*open(begin_ + unread_[n]), buffer);
    });
    for (const auto i : unread_)
      files_[i].is_read = true;
  }

  /// What has changed while it was read is not known.
  void remember(std::size_t i) {
    const auto& file = files_[i];
    if (file.is_read && file.stamp && content_.stamp(begin_ + i) == file.stamp)
      known_.add(*file.stamp, *file.digest, seen_);
  }

  const LayerContent& content_;
  ContextDigests& known_;
  std::size_t begin_;
  std::vector<File> files_;
  std::vector<std::size_t> unread_; ///< Files whose digest nobody knows.
  Time seen_{};                     ///< When reading them began.
};

} // namespace

std::string content_digest(const LayerContent& content, ContextDigests& known) {
  KeyHash hash("files");
  for (std::size_t begin = 0; begin < content.entries.size(); begin += window)
    Window(content, known, begin).add_to(hash);
  return hash.finish().hex;
}

} // namespace cairn
