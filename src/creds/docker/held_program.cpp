#include "creds/docker/held_program.hpp"

#include "util/error.hpp"
#include "util/process.hpp"
#include "util/text.hpp"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace cairn {

namespace {

/// An interpreter of an interpreter of a script is a loader, which has none.
constexpr std::size_t most_programs = 4;
constexpr std::size_t longest_first_line = 256;

std::string read_at(FdRef file, std::size_t size, off_t offset) {
  std::string bytes(size, '\0');
  const auto count = ::pread(file.get(), bytes.data(), bytes.size(), offset);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

/// "#!/usr/bin/env sh" names two programs; what else stands there are arguments.
std::vector<std::string> named_by_script(std::string_view start, const std::string& path) {
  std::vector<std::string> programs;
  const auto line = start.substr(2, start.substr(0, start.find('\n')).size() - 2);
  for (const auto& word : split(std::string(trim(line)), ' '))
    if (!word.empty() && (programs.empty() || programs.front().ends_with("/env")))
      programs.push_back(programs.empty() ? word : find_program(word, path));
  return programs;
}

std::optional<std::string> loader_of(FdRef file) {
  const auto head = read_at(file, sizeof(Elf64_Ehdr), 0);
  if (head.size() != sizeof(Elf64_Ehdr) || !head.starts_with(ELFMAG) ||
      head[EI_CLASS] != ELFCLASS64)
    return std::nullopt;
  Elf64_Ehdr header{};
  std::memcpy(&header, head.data(), sizeof header);
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part{};
    const auto offset = static_cast<off_t>(header.e_phoff + i * sizeof part);
    const auto bytes = read_at(file, sizeof part, offset);
    if (bytes.size() != sizeof part)
      return std::nullopt;
    std::memcpy(&part, bytes.data(), sizeof part);
    if (part.p_type == PT_INTERP) {
      const auto name = read_at(file, std::min<std::size_t>(part.p_filesz, longest_first_line),
                                static_cast<off_t>(part.p_offset));
      return name.substr(0, name.find('\0'));
    }
  }
  return std::nullopt;
}

bool is_same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/// A command cannot set ctime: whatever it does to a file shows there.
bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         is_same_time(a.st_mtim, b.st_mtim) && is_same_time(a.st_ctim, b.st_ctim);
}

} // namespace

HeldProgram::HeldProgram(const std::string& name, const std::string& path) {
  add(find_program(name, path));
  for (std::size_t i = 0; i < files_.size() && files_.size() < most_programs; ++i) {
    const FdRef file = files_[i].fd;
    const auto start = read_at(file, longest_first_line, 0);
    if (start.starts_with("#!"))
      for (const auto& program : named_by_script(start, path))
        add(program);
    else if (const auto loader = loader_of(file))
      add(*loader);
  }
}

void HeldProgram::add(const std::string& file) {
  File added{file, Fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC)), {}};
  if (!added.fd || ::fstat(added.fd.get(), &added.seen) != 0)
    throw SysError(errno, "run '{}'", file);
  files_.push_back(std::move(added));
}

bool HeldProgram::is_unchanged() const {
  for (const auto& file : files_) {
    struct stat now {};
    if (::stat(file.path.c_str(), &now) != 0 || !is_same(now, file.seen))
      return false;
  }
  return true;
}

bool HeldProgram::is_this_program() const {
  struct stat own {};
  const auto& seen = files_.front().seen;
  return ::stat("/proc/self/exe", &own) == 0 && own.st_dev == seen.st_dev &&
         own.st_ino == seen.st_ino;
}

} // namespace cairn
