#include "oci/blob_store.hpp"

#include "util/error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

namespace cairn {

BlobStore::BlobStore(std::string root) : root_(std::move(root)) {
  make_directories(root_ + "/blobs/sha256");
}

std::string BlobStore::path(const Digest& digest) const {
  return root_ + "/blobs/sha256/" + std::string(digest.hex());
}

bool BlobStore::has(const Digest& digest) const {
  return size(digest).has_value();
}

std::optional<std::uint64_t> BlobStore::size(const Digest& digest) const {
  struct stat info {};
  if (::stat(path(digest).c_str(), &info) != 0 || !S_ISREG(info.st_mode))
    return std::nullopt;
  return static_cast<std::uint64_t>(info.st_size);
}

Fd BlobStore::open(const Digest& digest) const {
  // Others may write there: nothing that waits is opened, such as a pipe.
  return open_at(current_directory(), path(digest), O_RDONLY | O_NONBLOCK);
}

std::unique_ptr<Source> BlobStore::read(const Digest& digest) const {
  return std::make_unique<FileSource>(open(digest));
}

Digest BlobStore::put(std::string_view bytes) const {
  auto digest = Digest::of(bytes);
  if (!has(digest)) {
    Writer writer(*this);
    write_text(writer, bytes);
    writer.commit(digest, bytes.size());
  }
  return digest;
}

void BlobStore::keep_only(const std::set<Digest>& digests) const {
  std::set<std::string, std::less<>> names;
  for (const auto& digest : digests)
    names.emplace(digest.hex());
  const auto blobs = open_at(current_directory(), root_ + "/blobs/sha256", O_RDONLY | O_DIRECTORY);
  for (const auto& name : list_directory(blobs))
    if (!name.starts_with('.') && !names.contains(name))
      remove_tree(blobs, name);
}

BlobStore::Writer::Writer(const BlobStore& store)
    : store_(store), temporary_(store.root_ + "/blobs/sha256/.partial-" + random_hex(8)),
      fd_(open_at(current_directory(), temporary_, O_WRONLY | O_CREAT | O_EXCL, 0644)) {}

BlobStore::Writer::~Writer() {
  if (!temporary_.empty())
    ::unlink(temporary_.c_str());
}

void BlobStore::Writer::write(std::span<const std::byte> bytes) {
  within([&] { write_all(fd_, bytes); }, "store a blob in '{}'", store_.root_);
  hash_.write(bytes);
  count_ += bytes.size();
}

const Digest& BlobStore::Writer::digest() {
  if (!digest_)
    digest_ = Digest::from_hex(hash_.hex());
  return *digest_;
}

Digest BlobStore::Writer::commit() {
  rename_to(digest());
  return digest();
}

void BlobStore::Writer::commit(const Digest& expected, std::uint64_t size) {
  if (digest() != expected || count_ != size)
    throw Error("blob {}: got {} bytes with digest {}, expected {} bytes", expected.str(), count_,
                digest().str(), size);
  rename_to(digest());
}

void BlobStore::Writer::rename_to(const Digest& digest) {
  if (::rename(temporary_.c_str(), store_.path(digest).c_str()) != 0)
    throw SysError(errno, "store blob {}", digest.str());
  temporary_.clear();
  fd_.reset();
}

} // namespace cairn
