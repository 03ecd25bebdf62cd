#include "apps/warmer/parse_command.hpp"

#include "apps/shared/common_flags.hpp"
#include "apps/shared/help.hpp"
#include "apps/warmer/flag_table.hpp"
#include "context/local.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

TextCommand help_text() {
  return {"Cairn's warmer fills the cache directory that executors build from.\n"
          "\n"
          "Usage:\n"
          "  warmer --cache-dir DIRECTORY (--image IMAGE | --dockerfile FILE | --list FILE)... "
          "[flags]\n"
          "  warmer version\n"
          "  warmer help\n" +
          flag_help(specs_of(warmer_flags()))};
}

void check_steps(const WarmRequest& request) {
  if (request.context && !is_local_context(*request.context))
    throw Error("--context: '{}' is neither a directory nor a tar archive", *request.context);
  if (!request.steps_from)
    return;
  if (request.dockerfiles.empty())
    throw Error("--cache-repo: say with --dockerfile whose steps are to be fetched");
  if (!request.context)
    throw Error("--cache-repo: the keys of steps depend on the files that they copy: say with "
                "--context where those are");
}

WarmCommand resolve_options(ParsedWarmerFlags given, const ProcessEnvironment& environment) {
  auto& command = given.command;
  auto& request = command.request;
  if (request.images.empty() && request.dockerfiles.empty() && command.list.empty())
    throw Error("there is nothing to fetch: give --image, --dockerfile or --list");
  if (request.directory.empty())
    request.directory = "/cache";
  request.build_args = resolve_build_args(given.build_args, environment);
  resolve_registry(command.registry, environment);
  check_steps(request);
  return std::move(command);
}

} // namespace

WarmerCommand parse_warmer(const std::vector<std::string>& arguments,
                           const ProcessEnvironment& environment) {
  if (!arguments.empty() && arguments.front() == "version")
    return TextCommand{version_text()};
  if (!arguments.empty() && arguments.front() == "help")
    return help_text();
  const auto flags = warmer_flags();
  ParsedWarmerFlags given;
  const auto parsed = read_flags(flags, arguments, given);
  if (given.help)
    return help_text();
  // kaniko's warmer takes them, and does nothing about them.
  for (const auto& word : parsed.words)
    given.command.warnings.push_back(fmt::format("'{}' means nothing here", printable(word)));
  return resolve_options(std::move(given), environment);
}

std::vector<ImageRef> parse_image_list(std::string_view text, std::string_view name) {
  std::vector<ImageRef> images;
  std::size_t number = 0;
  for (const auto& line : split(text, '\n')) {
    ++number;
    const auto image = trim(std::string_view(line).substr(0, line.find('#')));
    if (!image.empty())
      within([&] { images.push_back(ImageRef::parse(image)); }, "{}:{}", name, number);
  }
  return images;
}

} // namespace cairn
