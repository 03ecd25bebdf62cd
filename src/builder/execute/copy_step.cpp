#include "builder/execute/copy_step.hpp"

#include "builder/store/spool.hpp"
#include "fs/archive/archive_file.hpp"
#include "fs/copy/copy.hpp"
#include "net/redact.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <set>

namespace cairn {

namespace {

/// A checkout, for as long as it is read.
struct RepositoryView {
  std::shared_ptr<const GitCheckout> checkout;
  std::unique_ptr<FileView> view;
};

RepositoryView open_repository(const GitSource& source, GitLibrary& repositories) {
  RepositoryView repository;
  repository.checkout = repositories.get(source);
  DirectoryView::Options options;
  options.what = "the repository " + source.text;
  repository.view = std::make_unique<DirectoryView>(repository.checkout->files, std::move(options));
  return repository;
}

/// Everything that the content of a planned COPY is read from. Shared by the opener that the layer
/// is written with.
struct CopyData {
  Fd directory;                                ///< Of a named context.
  std::shared_ptr<const GitCheckout> checkout; ///< Of a named context.
  std::shared_ptr<SharedStack> shared;
  const LayerStack* stack = nullptr; ///< Of `shared`; behind `view` when that is a Tree.
  std::unique_ptr<FileView> view;
  std::map<std::size_t, std::string> texts; ///< Of heredocs, by source.
  std::map<std::size_t, std::shared_ptr<const DownloadedFile>> downloads; ///< By source.
  std::map<std::size_t, std::vector<std::size_t>> unpacked; ///< Members of downloads, by source.
  std::map<std::size_t, RepositoryView> repositories;       ///< By source.
  std::unique_ptr<Spool> spool;
  std::map<ContentRef, std::size_t> spooled;               ///< Of a Tree.
  std::map<RootedPath, std::vector<std::size_t>> archives; ///< Members of unpacked archives.
  CopyPlan plan;
};

struct ViewMaker {
  CopyData& data;
  const CopyServices& services;

  void operator()(const MainContext&) const {
    data.view = std::make_unique<DirectoryView>(
        services.context.local.root,
        DirectoryView::Options{rules(services.context.ignore, services.context.ignore_name),
                               services.context.ignore_name, "the build context"});
  }

  void operator()(const DirectorySource& source) const {
    data.directory = open_at(current_directory(), source.path, O_RDONLY | O_DIRECTORY);
    DirectoryView::Options options;
    options.what = "the build context '" + source.path + "'";
    if (const auto file = try_open_at(data.directory, ".dockerignore", O_RDONLY)) {
      options.ignore_name = ".dockerignore";
      options.ignore =
          rules(parse_ignore_file(read_file(*file, std::uint64_t{1} << 20)), options.ignore_name);
    }
    data.view = std::make_unique<DirectoryView>(data.directory, std::move(options));
  }

  void operator()(const UrlSource& source) const {
    DirectoryView::Options options;
    options.what = "the build context '" + redact_url(source.url) + "'";
    data.view = std::make_unique<DirectoryView>(services.downloads.context(source).root,
                                                std::move(options));
  }

  void operator()(const GitSource& source) const {
    auto repository = open_repository(source, services.repositories);
    data.checkout = std::move(repository.checkout);
    data.view = std::move(repository.view);
  }

  void operator()(const EmptyFilesystem&) const {
    tree_view(std::make_shared<SharedStack>(LayerStack()), "an empty directory");
  }

  void operator()(const StageSource& source) const {
    tree_view(services.stage(source.index), "the stage");
  }

  void operator()(const ImageSource& source) const {
    tree_view(services.image(source), "image " + source.name);
  }

  static IgnoreRules rules(std::vector<IgnoreLine> lines, const std::string& file) {
    return within([&] { return IgnoreRules(std::move(lines)); }, "{}", file);
  }

  void tree_view(std::shared_ptr<SharedStack> shared, const std::string& what) const {
    data.shared = std::move(shared);
    data.stack = &data.shared->loaded();
    data.view = std::make_unique<TreeView>(
        data.stack->loaded_tree(),
        [this_data = &data](const Tree::Node& node) {
          const auto found = this_data->spooled.find(node.content);
          if (found == this_data->spooled.end())
            throw Error("content was not set aside");
          return this_data->spool->open(found->second);
        },
        what);
  }
};

/// Sets aside the content of chosen files of a stack: every layer that holds some of it is read
/// once, or no more of it than these files.
void spool_content(CopyData& data, const std::set<ContentRef>& wanted) {
  for (auto next = wanted.begin(); next != wanted.end();) {
    const auto layer = next->layer;
    const auto& from = *data.stack->layers().at(layer);
    const auto end = wanted.lower_bound(ContentRef{layer + 1, 0});
    if (const auto* table = from.table()) {
      std::set<std::uint32_t> positions;
      for (; next != end; ++next)
        positions.insert(next->entry);
      table->read_files(positions, [&](std::uint32_t position, Source& content) {
        data.spooled[{layer, position}] = data.spool->add(content);
      });
      continue;
    }
    std::uint32_t position = 0;
    from.read([&](const LayerEntry&, TarReader& reader) {
      const ContentRef here{layer, position++};
      if (wanted.contains(here) && !data.spooled.contains(here))
        data.spooled[here] = data.spool->add(reader);
    });
    next = end;
  }
}

/// The files of the Tree that the plan copies.
std::set<ContentRef> wanted_content(const CopyData& data) {
  std::set<ContentRef> wanted;
  const auto& tree = data.stack->loaded_tree();
  for (std::size_t i = 0; i < data.plan.entries.size(); ++i) {
    const auto& content = data.plan.contents[i];
    const auto& entry = data.plan.entries[i];
    if (content.kind != CopyContent::Kind::view || entry.hard_link ||
        entry.meta.type != FileType::regular || entry.meta.size == 0)
      continue;
    if (const auto* node = tree.find(content.path))
      wanted.insert(node->content);
  }
  return wanted;
}

std::unique_ptr<Source> open_content(const CopyData& data, std::size_t n) {
  const auto& content = data.plan.contents.at(n);
  switch (content.kind) {
  case CopyContent::Kind::view:
    if (const auto found = data.repositories.find(content.source); found != data.repositories.end())
      return found->second.view->open(content.path);
    return data.view->open(content.path);
  case CopyContent::Kind::given:
    if (const auto file = data.downloads.find(content.source); file != data.downloads.end())
      return file->second->open();
    return std::make_unique<TextSource>(data.texts.at(content.source));
  case CopyContent::Kind::archive:
    if (const auto file = data.unpacked.find(content.source); file != data.unpacked.end())
      return data.spool->open(file->second.at(content.member));
    return data.spool->open(data.archives.at(content.path).at(content.member));
  case CopyContent::Kind::none:
    break;
  }
  throw Error("'{}' has no content", data.plan.entries.at(n).path.str());
}

/// The entries of an archive, with their contents set aside; nothing when it is none. `members`
/// are their numbers in the spool.
std::optional<GivenArchive> unpack(const std::function<std::unique_ptr<Source>()>& open,
                                   Spool& spool, std::vector<std::size_t>& members,
                                   ExpansionLimit limit) {
  GivenArchive archive;
  members.clear();
  const auto add = [&](const LayerEntry& entry, TarReader& reader) {
    archive.entries.push_back(entry);
    members.push_back(entry.has_content() ? spool.add(reader) : 0);
  };
  return read_archive(open, add, limit) ? std::optional(std::move(archive)) : std::nullopt;
}

/// ADD unpacks what turns out to be an archive, whatever its name.
ArchiveOpener archive_opener(CopyData& data, ExpansionLimit limit) {
  return [&data, limit](const FileView& view, const RootedPath& file) {
    if (data.stack != nullptr)
      throw Error("ADD reads from the build context alone");
    return unpack([&] { return view.open(file); }, *data.spool, data.archives[file], limit);
  };
}

/// A download, of root and for root alone.
GivenFile given_file(const UrlSource& source, const DownloadedFile& file) {
  Metadata meta;
  meta.mode = 0600;
  meta.mtime = file.modified;
  meta.size = file.size;
  auto name = source.file_name();
  if (name.empty())
    name = file.suggested_name;
  return {std::move(name), meta};
}

/// Waits for a download.
void add_download(const UrlSource& source, const CopyAction& action, CopyData& data,
                  CopyRequest& request, Downloads& downloads) {
  const auto number = request.sources.size();
  auto file = downloads.get(source);
  if (action.unpack.value_or(false)) {
    std::vector<std::size_t> members;
    if (auto archive = unpack([&] { return file->open(); }, *data.spool, members, file->limit)) {
      data.unpacked[number] = std::move(members);
      request.sources.emplace_back(*std::move(archive));
      return;
    }
  }
  request.sources.emplace_back(given_file(source, *file));
  data.downloads[number] = std::move(file);
}

/// Waits for a repository, of which everything is copied.
void add_repository(const GitSource& source, CopyData& data, CopyRequest& request,
                    GitLibrary& repositories) {
  auto repository = open_repository(source, repositories);
  const auto number = request.sources.size();
  request.sources.emplace_back(ViewSource{repository.view.get(), "/"});
  data.repositories.emplace(number, std::move(repository));
}

bool is_from_context(const FileOrigin& from) {
  return std::holds_alternative<MainContext>(from) ||
         std::holds_alternative<DirectorySource>(from) || std::holds_alternative<UrlSource>(from) ||
         std::holds_alternative<GitSource>(from);
}

enum class UnknownNames { refuse, are_root };

/// Who "user[:group]" is in `stack`.
Owner owner_of(const std::string& spec, LayerStack& stack, UnknownNames names, Progress& progress) {
  const auto is_numeric = is_numeric_owner(spec);
  if (!is_numeric && stack.layers().empty())
    throw with_hint(
        Error("the owner '{}' cannot be looked up: there is no /etc/passwd in an empty image",
              spec),
        "numbers need none");
  const auto found = resolve_owner(spec, is_numeric ? UserFiles{} : user_files(stack));
  for (const auto& problem : found.unknown) {
    if (problem.is_name && names == UnknownNames::refuse)
      throw Error("{}", problem.why);
    progress.warn("'{}': {}: taken for {}:{}", spec, problem.why, found.owner.uid, found.owner.gid);
  }
  return found.owner;
}

CopyRequest request_of(const CopyAction& action, CopyData& data, std::optional<Owner> owner,
                       const CopyServices& services) {
  const auto now = services.clock();
  CopyRequest request;
  for (const auto& source : action.sources)
    if (const auto* local = std::get_if<LocalSource>(&source))
      request.sources.emplace_back(ViewSource{data.view.get(), local->pattern});
    else if (const auto* git = std::get_if<GitSource>(&source))
      add_repository(*git, data, request, services.repositories);
    else
      add_download(std::get<UrlSource>(source), action, data, request, services.downloads);
  for (const auto& file : action.files) {
    Metadata meta;
    meta.mode = 0644;
    meta.mtime = now;
    meta.size = file.content.size();
    data.texts[request.sources.size()] = file.content;
    request.sources.emplace_back(GivenFile{file.name, meta});
  }
  request.destination = action.destination;
  request.workdir = action.working_directory;
  if (!is_from_context(action.from))
    request.ownership = CopyRequest::Ownership::preserve;
  request.owner = owner;
  if (action.chmod)
    request.mode = ModeChange::parse(*action.chmod);
  request.excludes = action.excludes;
  request.parents = action.parents ? CopyRequest::Parents::keep : CopyRequest::Parents::drop;
  request.link = action.link ? CopyRequest::Link::yes : CopyRequest::Link::no;
  request.now = now;
  if (action.kind == CopyAction::Kind::add && action.unpack.value_or(true))
    request.archive = archive_opener(data, services.limit);
  return request;
}

/// A path that means itself where patterns are understood.
std::string without_patterns(std::string_view path) {
  std::string text;
  for (const char c : path) {
    if (std::string_view("*?[\\").find(c) != std::string_view::npos)
      text += '\\';
    text += c;
  }
  return text;
}

/// COPY gives the attributes of what is in a directory, not the directory's own.
void give_top(CopyPlan& plan, const ViewedFile& directory, const CopyRequest& request) {
  const auto top = RootedPath::parse("/m");
  if (plan.entries.empty() || plan.entries.front().path != top) {
    plan.entries.insert(plan.entries.begin(), {top, {}, std::nullopt});
    plan.contents.insert(plan.contents.begin(), CopyContent{});
  }
  auto& meta = plan.entries.front().meta;
  meta = directory.meta;
  if (request.ownership == CopyRequest::Ownership::reset)
    meta.uid = meta.gid = 0;
}

LayerContent content_of(std::shared_ptr<CopyData> data) {
  LayerContent content;
  content.entries = data->plan.entries;
  content.open = [data = std::move(data)](std::size_t n) { return open_content(*data, n); };
  return content;
}

} // namespace

const LayerStack& SharedStack::loaded() {
  const std::lock_guard lock(mutex_);
  stack_.tree();
  return stack_;
}

UserFiles user_files(LayerStack& stack) {
  return {stack.text(RootedPath::parse("/etc/passwd"), max_user_file),
          stack.text(RootedPath::parse("/etc/group"), max_user_file)};
}

LayerContent copy_files(const CopyAction& action, LayerStack& stack, const CopyServices& services) {
  auto data = std::make_shared<CopyData>();
  data->spool = std::make_unique<Spool>(services.workspace.temporary());
  std::visit(ViewMaker{*data, services}, action.from);
  std::optional<Owner> owner;
  if (action.chown)
    owner = owner_of(*action.chown, stack, UnknownNames::refuse, services.progress);
  const auto request = request_of(action, *data, owner, services);
  data->plan = plan_copy(request, stack.tree());
  if (data->stack != nullptr)
    spool_content(*data, wanted_content(*data));
  return content_of(std::move(data));
}

LayerContent subtree(const FileOrigin& from, const std::string& source,
                     const CopyServices& services) {
  auto data = std::make_shared<CopyData>();
  data->spool = std::make_unique<Spool>(services.workspace.temporary());
  std::visit(ViewMaker{*data, services}, from);
  const auto path = data->view->resolve(RootedPath::parse(source), Tree::Last::follow);
  const auto found = data->view->stat(path);
  // plan_copy() says why there is none.
  const bool is_directory = found && found->meta.type == FileType::directory;
  CopyRequest request;
  request.sources.emplace_back(ViewSource{data->view.get(), without_patterns(path.str())});
  request.destination = is_directory ? "/m/" : "/m";
  request.ownership =
      is_from_context(from) ? CopyRequest::Ownership::reset : CopyRequest::Ownership::preserve;
  request.now = services.clock();
  data->plan = plan_copy(request, Tree());
  if (is_directory)
    give_top(data->plan, *found, request);
  if (data->stack != nullptr)
    spool_content(*data, wanted_content(*data));
  return content_of(std::move(data));
}

LayerContent make_directory(const DirectoryAction& action, LayerStack& stack,
                            const CopyServices& services) {
  const auto& tree = stack.tree();
  const auto target = tree.resolve(RootedPath::parse(action.path), Tree::Last::follow);
  std::vector<LayerEntry> entries;
  Owner owner;
  if (!action.user.empty())
    owner = owner_of(action.user, stack, UnknownNames::are_root, services.progress);
  const auto now = services.clock();
  bool made = false;
  for (auto path = target; !path.is_root(); path = path.parent()) {
    const auto* node = tree.find(path);
    if (node != nullptr && node->meta.type != FileType::directory)
      throw Error("'{}' is not a directory", path.str());
    LayerEntry entry;
    entry.path = path;
    if (node != nullptr) {
      entry.meta = node->meta;
    } else {
      made = true;
      entry.meta.type = FileType::directory;
      entry.meta.mode = 0755;
      entry.meta.uid = owner.uid;
      entry.meta.gid = owner.gid;
      entry.meta.mtime = now;
    }
    if (node == nullptr || !node->implied)
      entries.push_back(std::move(entry));
  }
  std::reverse(entries.begin(), entries.end());
  if (!made)
    entries.clear();
  LayerContent content;
  content.entries = std::move(entries);
  content.open = [](std::size_t) -> std::unique_ptr<Source> {
    throw Error("a directory has no content");
  };
  return content;
}

} // namespace cairn
