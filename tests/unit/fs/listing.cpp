#include "listing.hpp"

#include "errors.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <sstream>

namespace cairn::test {

namespace {

const Time mtime_of_sources = from_unix(1000);

FileType type_of(const std::string& letter) {
  switch (letter.at(0)) {
  case 'd':
    return FileType::directory;
  case 'l':
    return FileType::symlink;
  case 'c':
    return FileType::char_device;
  case 'p':
    return FileType::fifo;
  default:
    return FileType::regular;
  }
}

char letter_of(const LayerEntry& entry) {
  if (entry.hard_link)
    return 'h';
  switch (entry.meta.type) {
  case FileType::directory:
    return 'd';
  case FileType::symlink:
    return 'l';
  case FileType::char_device:
  case FileType::block_device:
    return 'c';
  case FileType::fifo:
    return 'p';
  case FileType::regular:
    break;
  }
  return 'f';
}

LayerEntry entry_of(const std::string& line) {
  std::istringstream words(line);
  std::string letter;
  std::string path;
  std::string word;
  words >> letter >> path;
  LayerEntry entry;
  entry.path = RootedPath::parse(path);
  auto& meta = entry.meta;
  meta.type = type_of(letter);
  meta.mtime = mtime_of_sources;
  meta.mode = letter == "d" ? 0755 : letter == "l" ? 0777 : 0644;
  if (letter == "h" && words >> word)
    entry.hard_link = RootedPath::parse(word);
  if (letter == "l" && words >> word >> word)
    meta.link_target = word;
  if (words >> word)
    meta.mode = *parse_octal(word);
  if (words >> word) {
    const auto halves = *cut(word, ':');
    auto& first = letter == "c" ? meta.device_major : meta.uid;
    auto& second = letter == "c" ? meta.device_minor : meta.gid;
    first = static_cast<std::uint32_t>(*parse_unsigned(halves.first));
    second = static_cast<std::uint32_t>(*parse_unsigned(halves.second));
  }
  if (words >> word)
    meta.size = *parse_unsigned(word);
  return entry;
}

std::string origin_of(const CopyContent& content) {
  switch (content.kind) {
  case CopyContent::Kind::none:
    return "";
  case CopyContent::Kind::view:
    return " <- " + content.path.str();
  case CopyContent::Kind::given:
    return fmt::format(" <- #{}", content.source);
  case CopyContent::Kind::archive:
    return fmt::format(" <- {}[{}]", content.path.str(), content.member);
  }
  return "";
}

} // namespace

std::vector<LayerEntry> entries_of(std::string_view lines) {
  std::vector<LayerEntry> entries;
  for (const auto& line : split(lines, '\n'))
    if (!trim(line).empty())
      entries.push_back(entry_of(std::string(trim(line))));
  return entries;
}

Tree tree_of(std::string_view lines) {
  Tree tree;
  tree.apply({entries_of(lines)});
  return tree;
}

std::string listing(const CopyPlan& plan, Time now) {
  std::string out;
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    const auto entry = plan.entries[i];
    const auto& meta = entry.meta;
    out += fmt::format("{} {}", letter_of(entry), entry.path.str());
    if (entry.hard_link)
      out += " " + entry.hard_link->str();
    else if (meta.type == FileType::symlink)
      out += " -> " + meta.link_target;
    else
      out += fmt::format(" {:04o}", meta.mode);
    if (meta.type == FileType::char_device)
      out += fmt::format(" {}:{}", meta.device_major, meta.device_minor);
    if (!entry.hard_link && (meta.uid != 0 || meta.gid != 0))
      out += fmt::format(" {}:{}", meta.uid, meta.gid);
    out += origin_of(plan.contents[i]);
    out += meta.type == FileType::directory && meta.mtime == now ? " *\n" : "\n";
  }
  return out;
}

std::string copied(const Copying& copying, const std::vector<std::string>& sources,
                   const std::string& destination) {
  const auto context = tree_of(copying.from);
  const auto stage = tree_of(copying.stage);
  const TreeView view(context, {}, "the build context");
  auto request = copying.request;
  request.destination = destination;
  request.now = from_unix(2000);
  std::vector<CopySource> all;
  all.reserve(sources.size());
  for (const auto& source : sources)
    all.emplace_back(ViewSource{&view, source});
  request.sources.insert(request.sources.begin(), all.begin(), all.end());
  std::string out;
  const auto error = error_of([&] { out = listing(plan_copy(request, stage), request.now); });
  return error.empty() ? out : "error: " + error;
}

} // namespace cairn::test
