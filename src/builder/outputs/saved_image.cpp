#include "builder/outputs/saved_image.hpp"

#include "builder/images/image_library.hpp"
#include "builder/outputs/docker_archive.hpp"
#include "builder/store/verified_blob.hpp"
#include "fs/archive/compress.hpp"
#include "fs/archive/tar.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <set>

namespace cairn {

namespace {

constexpr std::size_t max_documents = 1000;
constexpr int max_index_depth = 4;
constexpr int max_links = 8;

/// Puts what an image consists of behind each other, what is named before what names it.
class DocumentReader {
public:
  explicit DocumentReader(const BlobStore& blobs) : blobs_(blobs) {}

  std::vector<PushDocument> read(const Descriptor& image) {
    add(image, 0);
    return std::move(documents_);
  }

private:
  void add(const Descriptor& found, int depth) {
    if (!seen_.insert(found.digest).second)
      return;
    if (depth > max_index_depth || documents_.size() > max_documents)
      throw Error("the index leads to more than {} images, or deeper than {} levels", max_documents,
                  max_index_depth);
    auto raw = stored_text(blobs_, found);
    if (!is_index(found.media_type)) {
      documents_.push_back(document_of(Manifest::parse(std::move(raw), found.media_type)));
      return check_blobs(documents_.back());
    }
    const auto index = Index::parse(std::move(raw), found.media_type);
    for (const auto& member : index.manifests)
      add(member, depth + 1);
    documents_.push_back(document_of(index));
  }

  /// Before anything is pushed. What the bytes are is found out on their way.
  void check_blobs(const PushDocument& document) const {
    for (const auto& blob : document.blobs)
      if (blobs_.size(blob.digest) != blob.size)
        throw Error("blob {} of {} bytes is missing", blob.digest.str(), blob.size);
  }

  const BlobStore& blobs_;
  std::vector<PushDocument> documents_;
  std::set<Digest> seen_;
};

SavedImage image_in(Layout layout) {
  const auto shared = std::make_shared<Layout>(std::move(layout));
  const auto entries = shared->index().manifests;
  if (entries.size() != 1)
    throw Error("index.json names {} images: only one can be pushed at a time", entries.size());
  return {DocumentReader(shared->blobs()).read(entries.front()), [shared](const Descriptor& blob) {
            return verify_blob(shared->blobs().read(blob.digest), blob);
          }};
}

/// Takes an archive apart: every file becomes a blob.
class ArchiveUnpacker {
public:
  ArchiveUnpacker(const BlobStore& blobs, ExpansionLimit limit) : blobs_(blobs), limit_(limit) {}

  /// `from` may be compressed.
  ArchiveFiles unpack(Source& from) {
    ExpansionGauge expansion(limit_);
    MeasuredSource measured(from, expansion);
    const auto plain = make_decompressor(measured);
    TarLimits limits;
    limits.expansion = &expansion;
    TarReader tar(*plain, limits);
    while (const auto entry = tar.next()) {
      const auto name = entry->path.str().substr(1);
      if (entry->hard_link)
        links_[name] = entry->hard_link->str().substr(1);
      else if (entry->meta.type == FileType::symlink)
        links_[name] =
            RootedPath::parse(join_path(entry->path.parent().str(), entry->meta.link_target))
                .relative();
      else if (entry->meta.type == FileType::regular)
        files_.insert_or_assign(name, store(tar));
    }
    for (const auto& link : links_)
      resolve(link.first);
    return std::move(files_);
  }

private:
  Descriptor store(TarReader& tar) {
    BlobStore::Writer writer(blobs_);
    tar.copy_to(writer);
    const auto size = writer.count();
    return {"", writer.commit(), size};
  }

  /// Older dockers save a layer that two images share once, and link to it.
  void resolve(const std::string& name) {
    auto target = name;
    for (int i = 0; i < max_links; ++i) {
      if (const auto file = files_.find(target); file != files_.end()) {
        files_.emplace(name, file->second);
        return;
      }
      const auto next = links_.find(target);
      if (next == links_.end())
        return;
      target = next->second;
    }
  }

  const BlobStore& blobs_;
  ExpansionLimit limit_;
  ArchiveFiles files_;
  std::map<std::string, std::string> links_;
};

SavedImage image_in_archive(const std::string& path, Workspace& workspace, ExpansionLimit limit) {
  auto layout = Layout::create(workspace.new_directory("archive"));
  FileSource file(open_at(current_directory(), path, O_RDONLY | O_CLOEXEC));
  const auto files = ArchiveUnpacker(layout.blobs(), limit).unpack(file);
  // Docker's newer archives are both; those of its form may have layers without compression.
  if (files.contains("manifest.json")) {
    auto documents = std::vector{document_of(docker_archive_manifest(files, layout.blobs()))};
    return {std::move(documents), [blobs = layout.blobs()](const Descriptor& blob) {
              return verify_blob(blobs.read(blob.digest), blob);
            }};
  }
  const auto index = files.find("index.json");
  if (index == files.end() || !files.contains("oci-layout"))
    throw Error("neither an archive of docker save nor of an OCI image layout: it has no "
                "manifest.json, and no oci-layout and index.json");
  layout.set_index(Index::parse(stored_text(layout.blobs(), index->second), media_type::oci_index));
  return image_in(std::move(layout));
}

} // namespace

SavedImage open_saved_image(const std::string& path, Workspace& workspace, ExpansionLimit limit) {
  return within(
      [&] {
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0)
          throw SysError(errno, "open");
        return S_ISDIR(info.st_mode) ? image_in(Layout::open(path))
                                     : image_in_archive(path, workspace, limit);
      },
      "'{}'", path);
}

} // namespace cairn
