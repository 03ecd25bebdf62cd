#include "chunked_layers.hpp"

#include "fs/archive/compress.hpp"
#include "util/clock.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/json.hpp"

#include <algorithm>
#include <optional>

namespace cairn::test {

namespace {

constexpr std::size_t archive_end_size = 1024;

std::string compress_part(std::string_view text, Compression method) {
  TextSink out;
  const auto sink = make_compressor(out, {method, std::nullopt});
  write_text(*sink, text);
  sink->finish();
  return out.text();
}

const char* type_of(const LayerEntry& entry) {
  if (entry.hard_link)
    return "hardlink";
  switch (entry.meta.type) {
  case FileType::regular:
    return "reg";
  case FileType::directory:
    return "dir";
  case FileType::symlink:
    return "symlink";
  case FileType::char_device:
    return "char";
  case FileType::block_device:
    return "block";
  case FileType::fifo:
    return "fifo";
  }
  return "";
}

std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

Json row_of(const LayerEntry& entry) {
  const auto& meta = entry.meta;
  Json row;
  row.set("name", entry.path.str().substr(1) + (is_directory(meta) ? "/" : ""));
  row.set("type", type_of(entry));
  row.set("size", number(meta.size));
  row.set("modtime", rfc3339(meta.mtime));
  row.set("mode", number(meta.mode));
  row.set("uid", number(meta.uid));
  row.set("gid", number(meta.gid));
  row.set("linkName", entry.hard_link ? entry.hard_link->str().substr(1) : meta.link_target);
  row.set("devMajor", number(meta.device_major));
  row.set("devMinor", number(meta.device_minor));
  for (const auto& xattr : meta.xattrs) {
    auto all = row.find("xattrs") == nullptr ? Json::object() : *row.find("xattrs");
    all.set(xattr.name, base64_encode(xattr.value));
    row.set("xattrs", all);
  }
  return row;
}

/// Writes members that end where a file's content begins or a chunk ends.
class ChunkedWriter {
public:
  explicit ChunkedWriter(const ChunkedWriting& how)
      : how_(how), method_(is_estargz() ? Compression::gzip : Compression::zstd) {}

  void add(const Member& member) {
    const auto tar = tar_of({member});
    const auto padded = (member.content.size() + 511) / 512 * 512;
    pending_ += tar.substr(0, tar.size() - archive_end_size - padded);
    auto row = row_of(member.entry);
    if (!member.entry.has_content())
      return rows_.push(row);
    row.set("digest", Digest::of(member.content).str());
    const auto first = rows_.as_array().size();
    for (std::size_t at = 0; at < member.content.size(); at += how_.chunk_size) {
      const auto chunk = member.content.substr(at, how_.chunk_size);
      flush();
      describe(row, at, chunk, member.content.size());
      rows_.push(row);
      pending_ = chunk;
      row = Json::object();
      row.set("name", member.entry.path.str().substr(1)).set("type", "chunk");
    }
    if (!is_estargz()) {
      flush();
      auto all = rows_.as_array();
      all[first].set("endOffset", number(layer_.blob.size()));
      rows_ = Json(all);
    }
    pending_.append(padded - member.content.size(), '\0');
  }

  ChunkedLayer finish() {
    if (!is_estargz()) {
      pending_.append(archive_end_size, '\0');
      flush();
      return finish_zstd(how_.edit(toc()));
    }
    flush();
    return finish_estargz(how_.edit(toc()));
  }

private:
  bool is_estargz() const { return how_.form == TableHint::Form::estargz; }

  std::string toc() const {
    Json document;
    document.set("version", 1).set("entries", rows_);
    return document.pretty();
  }

  void flush() {
    if (!pending_.empty())
      layer_.blob += compress_part(pending_, method_);
    pending_.clear();
  }

  void describe(Json& row, std::size_t at, const std::string& chunk, std::size_t size) const {
    row.set("offset", number(layer_.blob.size()));
    if (!is_estargz() && size <= how_.chunk_size)
      return; // The digest of the file is that of the chunk.
    row.set("chunkOffset", number(at));
    const bool is_last = at + chunk.size() == size;
    row.set("chunkSize", number(is_estargz() && is_last ? 0 : chunk.size()));
    row.set("chunkDigest", Digest::of(chunk).str());
  }

  ChunkedLayer finish_estargz(const std::string& toc) {
    layer_.toc = toc;
    const auto offset = layer_.blob.size();
    auto member = file("stargz.index.json", toc, 0);
    layer_.blob += compress_part(tar_of({member}), Compression::gzip);
    layer_.blob += std::string("\x1f\x8b\x08\x04\0\0\0\0\0\xff\x1a\0SG\x16\0", 16);
    layer_.blob += fmt::format("{:016x}STARGZ", offset);
    layer_.blob += std::string("\x01\0\0\xff\xff\0\0\0\0\0\0\0\0", 13);
    layer_.annotations["containerd.io/snapshot/stargz/toc.digest"] = Digest::of(toc).str();
    return layer_;
  }

  ChunkedLayer finish_zstd(const std::string& toc) {
    layer_.toc = toc;
    const auto bytes = compress_part(toc, Compression::zstd);
    const auto frame = [&](std::string_view content) {
      layer_.blob += std::string("\x50\x2a\x4d\x18", 4);
      for (unsigned shift = 0; shift < 32; shift += 8)
        layer_.blob += static_cast<char>(content.size() >> shift);
      layer_.blob += content;
    };
    const auto offset = layer_.blob.size() + 8;
    frame(bytes);
    frame(std::string(64, 'f'));
    layer_.annotations["io.github.containers.zstd-chunked.manifest-checksum"] =
        Digest::of(bytes).str();
    layer_.annotations["io.github.containers.zstd-chunked.manifest-position"] =
        fmt::format("{}:{}:{}:1", offset, bytes.size(), toc.size());
    return layer_;
  }

  const ChunkedWriting& how_;
  Compression method_;
  ChunkedLayer layer_;
  std::string pending_;
  Json rows_ = Json::array();
};

} // namespace

Descriptor ChunkedLayer::descriptor() const {
  return {"", Digest::of(blob), blob.size(), std::nullopt, annotations};
}

ChunkedLayer write_chunked(const std::vector<Member>& members, const ChunkedWriting& how) {
  ChunkedWriter writer(how);
  for (const auto& member : members)
    writer.add(member);
  return writer.finish();
}

ChunkedLayer with_rows(std::string_view rows) {
  ChunkedWriting how;
  how.edit = [&](const std::string&) {
    return R"({"version":1,"entries":[)" + std::string(rows) + "]}";
  };
  // Some bytes that chunks can be said to be in.
  return write_chunked({file("x", std::string(5000, 'x'))}, how);
}

RangeOpener Ranges::opener() {
  return [this](ByteRange range) -> std::unique_ptr<Source> {
    asked_.push_back(range);
    if (range.end() > blob_.size())
      throw Error("no such range");
    return std::make_unique<OwnedTextSource>(blob_.substr(range.offset, range.size));
  };
}

LayerTable table_of(const ChunkedLayer& layer, Ranges& ranges) {
  const auto hint = find_table(layer.descriptor());
  if (!hint)
    throw Error("the descriptor speaks of no table");
  TableLimits limits;
  limits.blob_size = layer.blob.size();
  return read_table(*hint, ranges.opener(), limits);
}

LayerTable table_of(const ChunkedLayer& layer) {
  Ranges ranges(layer.blob);
  return table_of(layer, ranges);
}

} // namespace cairn::test
