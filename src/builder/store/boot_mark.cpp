#include "builder/store/boot_mark.hpp"

#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

constexpr std::uint64_t max_mark = 4096;

void write_to_disk(FdRef file) {
  if (::fsync(file.get()) != 0)
    throw SysError(errno, "write a mark to the disk");
}

} // namespace

std::optional<std::string> boot_id() {
  try {
    const auto text = read_file(current_directory(), "/proc/sys/kernel/random/boot_id", max_mark);
    return std::string(trim(text));
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<std::string> BootMark::text() const {
  try {
    const auto file = try_open_at(current_directory(), path_, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    return file ? std::optional(std::string(trim(read_file(*file, max_mark)))) : std::nullopt;
  } catch (const Error&) {
    return "";
  }
}

bool BootMark::is_from_elsewhere() const {
  const auto mark = text();
  return mark && mark != boot_id();
}

void BootMark::set() const {
  const auto now = boot_id();
  if (!now || text() == now)
    return;
  AtomicFile file(path_, 0600);
  file.write(*now + "\n");
  write_to_disk(file.fd());
  file.commit();
  const auto slash = path_.rfind('/');
  write_to_disk(open_at(current_directory(), path_.substr(0, slash), O_RDONLY | O_DIRECTORY));
}

void BootMark::clear() const noexcept {
  static_cast<void>(::unlink(path_.c_str()));
}

} // namespace cairn
