#include "archives.hpp"

#include "fs/archive/metadata.hpp"
#include "fs/archive/tar.hpp"
#include "fs/archive/xattr.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <map>

namespace cairn::test {

namespace {

Member member(std::string_view path, FileType type, std::uint32_t mode) {
  Member out{{RootedPath::parse(path), {}, {}}, {}};
  out.entry.meta.type = type;
  out.entry.meta.mode = mode;
  out.entry.meta.mtime = from_unix(1'700'000'000);
  return out;
}

void put(std::string& block, std::size_t at, std::string_view text) {
  block.replace(at, text.size(), text);
}

std::string padded(std::string_view content) {
  std::string out(content);
  out.resize((content.size() + 511) / 512 * 512);
  return out;
}

std::string line(const std::string& path, const Metadata& meta, const std::string& more) {
  std::string xattrs;
  for (const auto& xattr : meta.xattrs)
    xattrs += fmt::format(" [{}={}]", xattr.name, xattr.value);
  switch (meta.type) {
  case FileType::directory:
    return fmt::format("d {:o} {}:{} {}{}\n", meta.mode, meta.uid, meta.gid, path, xattrs);
  case FileType::regular:
    return fmt::format("f {:o} {}:{} {} {}{}\n", meta.mode, meta.uid, meta.gid, path, more, xattrs);
  case FileType::symlink:
    return fmt::format("l {}:{} {} -> {}\n", meta.uid, meta.gid, path, meta.link_target);
  default:
    return fmt::format("{} {:o} {} {},{}\n", static_cast<int>(meta.type), meta.mode, path,
                       meta.device_major, meta.device_minor);
  }
}

class Describer {
public:
  explicit Describer(HardLinks links) : links_(links) {}

  std::string run(FdRef root) {
    describe(root, "");
    return out_;
  }

private:
  void describe(FdRef parent, const std::string& prefix) {
    for (const auto& name : list_directory(parent)) {
      const auto info = try_statx(parent, name);
      if (!info || !file_type_of(info->stx_mode))
        continue;
      auto meta = metadata_from(*info);
      std::string more;
      if (meta.type == FileType::symlink)
        meta.link_target = read_link(parent, name);
      if (meta.type == FileType::regular || meta.type == FileType::directory)
        meta.xattrs = read_xattrs(open_at(parent, name, O_RDONLY));
      if (meta.type == FileType::regular)
        more = content(parent, name, prefix, *info);
      out_ += line(prefix + name, meta, more);
      if (meta.type == FileType::directory)
        describe(open_at(parent, name, O_RDONLY | O_DIRECTORY), prefix + name + "/");
    }
  }

  std::string content(FdRef parent, const std::string& name, const std::string& prefix,
                      const struct statx& info) {
    const auto [first, is_new] = names_.try_emplace(info.stx_ino, prefix + name);
    return is_new || links_ == HardLinks::as_copies || info.stx_nlink == 1
               ? "'" + read_file(parent, name, 1 << 20) + "'"
               : "(=" + first->second + ")";
  }

  HardLinks links_;
  std::string out_;
  std::map<std::uint64_t, std::string> names_;
};

} // namespace

Member file(std::string_view path, std::string content, std::uint32_t mode) {
  auto out = member(path, FileType::regular, mode);
  out.entry.meta.size = content.size();
  out.content = std::move(content);
  return out;
}

Member directory(std::string_view path, std::uint32_t mode) {
  return member(path, FileType::directory, mode);
}

Member symbolic_link(std::string_view path, std::string target) {
  auto out = member(path, FileType::symlink, 0777);
  out.entry.meta.link_target = std::move(target);
  return out;
}

Member hard_link(std::string_view path, std::string_view target) {
  auto out = member(path, FileType::regular, 0644);
  out.entry.hard_link = RootedPath::parse(target);
  return out;
}

Member device(std::string_view path, FileType type, std::uint32_t major, std::uint32_t minor) {
  auto out = member(path, type, 0600);
  out.entry.meta.device_major = major;
  out.entry.meta.device_minor = minor;
  return out;
}

Member whiteout(std::string_view path) {
  return file(path, "", 0);
}

std::string tar_of(const std::vector<Member>& members) {
  TextSink out;
  TarWriter tar(out);
  for (const auto& one : members) {
    TextSource content(one.content);
    tar.add(one.entry, &content);
  }
  tar.finish();
  return out.text();
}

LayerIndex index_of(const std::vector<Member>& members) {
  LayerIndex index;
  for (const auto& one : members)
    index.entries.push_back(one.entry);
  return index;
}

std::string raw_member(std::string_view name, char type, std::string_view content,
                       std::string_view link) {
  std::string header(512, '\0');
  put(header, 0, name.substr(0, 100));
  put(header, 100, "0000644");
  put(header, 108, "0000000");
  put(header, 116, "0000000");
  put(header, 124, fmt::format("{:011o}", content.size()));
  put(header, 136, "00000000000");
  put(header, 148, "        ");
  header[156] = type;
  put(header, 157, link.substr(0, 100));
  put(header, 257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : header)
    sum += static_cast<unsigned char>(c);
  put(header, 148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return header + padded(content);
}

std::string pax_member(const std::vector<std::pair<std::string, std::string>>& records) {
  std::string text;
  for (const auto& [key, value] : records) {
    const auto rest = key.size() + value.size() + 3;
    auto length = rest + 1;
    while (std::to_string(length).size() + rest != length)
      ++length;
    text += fmt::format("{} {}={}\n", length, key, value);
  }
  return raw_member("pax", 'x', text);
}

std::vector<Member> read_members(std::string_view tar) {
  TextSource source(tar);
  TarReader reader(source);
  std::vector<Member> members;
  while (auto entry = reader.next()) {
    TextSink content;
    reader.copy_to(content);
    members.push_back({*entry, content.text()});
  }
  return members;
}

bool unpack(FdRef root, std::string_view tar, Unpacker::Options options, const Tree& below) {
  TextSource source(tar);
  TarReader reader(source);
  Unpacker unpacker(root, std::move(options));
  while (const auto entry = reader.next())
    unpacker.add(*entry, reader);
  unpacker.finish();
  return unpacker.fits(below);
}

std::string describe(FdRef root, HardLinks links) {
  return Describer(links).run(root);
}

std::string describe(const Tree& tree, const std::vector<std::vector<Member>>& layers,
                     HardLinks links) {
  std::string out;
  std::map<ContentRef, std::string> names;
  tree.walk([&](const RootedPath& path, const Tree::Node& node) {
    if (path.is_root())
      return;
    std::string more;
    if (node.type() == FileType::regular) {
      const auto [first, is_new] = names.try_emplace(node.content(), path.relative());
      more = is_new || links == HardLinks::as_copies
                 ? "'" + layers.at(node.content().layer).at(node.content().entry).content + "'"
                 : "(=" + first->second + ")";
    }
    out += line(path.relative(), node.meta(), more);
  });
  return out;
}

bool is_root() {
  return ::geteuid() == 0;
}

} // namespace cairn::test
