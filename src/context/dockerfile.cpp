#include "context/local.hpp"
#include "util/error.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace cairn {

namespace {

constexpr std::uint64_t longest_dockerfile = std::uint64_t{16} << 20;
constexpr std::uint64_t max_ignore_text = std::uint64_t{1}
                                          << 20; ///< Each byte takes many as a pattern.
constexpr std::string_view ignore_suffix = ".dockerignore";

// The text of a file, or nothing when there is none of that name.
std::optional<std::string> read_text(std::optional<Fd> file, const std::string& name,
                                     std::uint64_t limit) {
  struct stat info {};
  if (!file || (::fstat(file->get(), &info) == 0 && S_ISDIR(info.st_mode)))
    return std::nullopt;
  // A fifo would never end, and never begin.
  if (!S_ISREG(info.st_mode))
    throw Error("read '{}': it is not a regular file", name);
  return within([&] { return read_file(*file, limit); }, "read '{}'", name);
}

std::optional<std::string> read_in_context(const LocalContext& context, const std::string& name,
                                           std::uint64_t limit) {
  return read_text(
      open_in_root(context.root, RootedPath::parse(name), O_RDONLY | O_NONBLOCK, FinalLink::follow),
      name, limit);
}

std::optional<std::string> read_at(FdRef directory, const std::string& name, std::uint64_t limit) {
  return read_text(try_open_at(directory, name, O_RDONLY | O_NONBLOCK), name, limit);
}

std::optional<DockerfileText> try_name(const LocalContext& context, const std::string& name,
                                       FdRef working_directory) {
  const auto beside = name + std::string(ignore_suffix);
  DockerfileText found;
  std::optional<std::string> ignore;
  if (auto here = read_at(working_directory, name, longest_dockerfile)) {
    found.text = std::move(*here);
    ignore = read_at(working_directory, beside, max_ignore_text);
  } else if (auto inside = read_in_context(context, name, longest_dockerfile)) {
    found.text = std::move(*inside);
    ignore = read_in_context(context, beside, max_ignore_text);
  } else {
    return std::nullopt;
  }
  found.name = name;
  if (ignore) {
    found.ignore_name = beside;
    found.ignore = parse_ignore_file(*ignore);
  } else {
    read_ignore_file(context, found);
  }
  return found;
}

} // namespace

void read_ignore_file(const LocalContext& context, DockerfileText& to) {
  const auto text = read_in_context(context, std::string(ignore_suffix), max_ignore_text);
  if (!text)
    return;
  to.ignore_name = ignore_suffix;
  to.ignore = parse_ignore_file(*text);
}

DockerfileText find_dockerfile(const LocalContext& context, const std::string& dockerfile,
                               FdRef working_directory) {
  if (auto found = try_name(context, dockerfile, working_directory))
    return std::move(*found);
  if (dockerfile == "Dockerfile")
    if (auto found = try_name(context, "dockerfile", working_directory))
      return std::move(*found);
  throw with_hint(Error("Dockerfile '{}' is neither in the working directory nor in the build "
                        "context '{}'",
                        dockerfile, context.path),
                  "please provide a valid path to a Dockerfile within the build context with "
                  "--dockerfile");
}

} // namespace cairn
