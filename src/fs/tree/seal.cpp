#include "fs/tree/seal.hpp"

#include "fs/archive/metadata.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace cairn {

namespace {

constexpr const char* attribute = "user.cairn.seal";
constexpr std::string_view version = "1 "; // of what a seal is made of
constexpr std::size_t longest_seal = 128;
constexpr int deepest = 4096;

/// What there is to say of one file, in a row of its own.
void append(std::string& text, std::string_view name, const struct statx& info) {
  text.append(name) += '\0';
  const auto number = [&text](std::uint64_t value) {
    fmt::format_to(std::back_inserter(text), "{:x} ", value);
  };
  const auto time = [&](const struct statx_timestamp& when) {
    number(static_cast<std::uint64_t>(when.tv_sec));
    number(when.tv_nsec);
  };
  number(info.stx_mode);
  number(info.stx_uid);
  number(info.stx_gid);
  number(info.stx_rdev_major);
  number(info.stx_rdev_minor);
  // Of a directory it is the file system's affair.
  number(S_ISDIR(info.stx_mode) ? 0 : info.stx_size);
  time(info.stx_mtime);
  time(info.stx_ctime);
  text += '\n';
}

void add(Sha256& hash, FdRef directory, int depth) {
  if (depth > deepest)
    throw Error("directories are nested too deeply");
  std::string text;
  std::vector<std::string> below;
  for (const auto& name : list_directory(directory)) {
    const auto info = try_statx(directory, name);
    if (!info)
      throw SysError(ENOENT, "stat '{}'", name);
    append(text, name, *info);
    if (S_ISDIR(info->stx_mode))
      below.push_back(name);
  }
  hash.write(std::as_bytes(std::span(text)));
  for (const auto& name : below)
    add(hash, open_at(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), depth + 1);
}

} // namespace

std::string seal_of(FdRef directory) {
  Sha256 hash;
  auto own = try_statx(directory, ".").value();
  // The seal itself changes it, and so does noting when the directory was used.
  own.stx_ctime = {};
  std::string text;
  append(text, ".", own);
  hash.write(std::as_bytes(std::span(text)));
  add(hash, directory, 0);
  return hash.hex();
}

std::optional<std::string> read_seal(FdRef directory) {
  std::string value(longest_seal, '\0');
  const auto size = ::fgetxattr(directory.get(), attribute, value.data(), value.size());
  if (size < 0)
    return std::nullopt;
  value.resize(static_cast<std::size_t>(size));
  if (!value.starts_with(version))
    return std::nullopt;
  return value.substr(version.size());
}

void write_seal(FdRef directory, const std::string& seal) {
  const auto value = std::string(version) + seal;
  if (::fsetxattr(directory.get(), attribute, value.data(), value.size(), 0) != 0)
    throw SysError(errno, "seal a directory");
  if (::fsync(directory.get()) != 0)
    throw SysError(errno, "write a seal to the disk");
}

} // namespace cairn
