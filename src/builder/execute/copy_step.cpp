#include "builder/execute/copy_step.hpp"

#include "builder/layers/stack_contents.hpp"
#include "builder/store/spool.hpp"
#include "fs/archive/archive_file.hpp"
#include "fs/copy/copy.hpp"
#include "net/redact.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

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

/// Everything that the content of a planned COPY is read from. Shared by those who read it.
struct CopyData {
  explicit CopyData(const std::string& temporary) : spool(temporary) {}

  Fd directory;                                ///< Of a named context.
  std::shared_ptr<const GitCheckout> checkout; ///< Of a named context.
  std::shared_ptr<SharedStack> shared;
  const LayerStack* stack = nullptr; ///< Of `shared`; behind `view` when that is a Tree.
  std::unique_ptr<FileView> view;
  std::map<std::size_t, std::string> texts; ///< Of heredocs, by source.
  std::map<std::size_t, std::shared_ptr<const DownloadedFile>> downloads; ///< By source.
  std::map<std::size_t, std::vector<std::size_t>> unpacked; ///< Members of downloads, by source.
  std::map<std::size_t, RepositoryView> repositories;       ///< By source.
  std::optional<StackContents> contents;                    ///< Of a Tree.
  Spool spool;                                              ///< Of archives.
  std::map<RootedPath, std::vector<std::size_t>> archives;  ///< Members of unpacked archives.
  CopyPlan plan;            ///< Its entries are the layer's, once that is made.
  mutable std::mutex views; ///< Held while one of them is asked.
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
        [](const Tree::Node&) -> std::unique_ptr<Source> {
          throw Error("content was not set aside");
        },
        what);
  }
};

/// The files of the Tree that the plan copies.
StackContents::Wanted wanted_content(const CopyData& data) {
  StackContents::Wanted wanted;
  const auto& tree = data.stack->loaded_tree();
  for (std::size_t i = 0; i < data.plan.entries.size(); ++i) {
    if (data.plan.contents.kind(i) != CopyContent::Kind::view ||
        !data.plan.entries[i].has_content())
      continue;
    const auto path = data.plan.contents[i].path;
    if (const auto node = tree.find(path))
      wanted.try_emplace(node->content(), path);
  }
  return wanted;
}

/// Reads what a COPY copies.
class CopyReader {
public:
  explicit CopyReader(std::shared_ptr<const CopyData> data) : data_(std::move(data)) {
    if (data_->contents)
      open_tree_ = data_->contents->reader();
  }

  std::unique_ptr<Source> open(std::size_t n) {
    const auto content = data_->plan.contents[n];
    switch (content.kind) {
    case CopyContent::Kind::view:
      return open_viewed(content);
    case CopyContent::Kind::given:
      if (const auto file = data_->downloads.find(content.source); file != data_->downloads.end())
        return file->second->open();
      return std::make_unique<TextSource>(data_->texts.at(content.source));
    case CopyContent::Kind::archive:
      if (const auto file = data_->unpacked.find(content.source); file != data_->unpacked.end())
        return open_spooled(file->second.at(content.member));
      return open_spooled(data_->archives.at(content.path).at(content.member));
    case CopyContent::Kind::none:
      break;
    }
    throw Error("an entry has no content");
  }

private:
  std::unique_ptr<Source> open_viewed(const CopyContent& content) {
    if (data_->stack != nullptr)
      return open_tree_(data_->stack->loaded_tree().find(content.path)->content());
    const std::lock_guard lock(data_->views);
    if (const auto found = data_->repositories.find(content.source);
        found != data_->repositories.end())
      return found->second.view->open(content.path);
    return data_->view->open(content.path);
  }

  std::unique_ptr<Source> open_spooled(std::size_t number) {
    if (!open_spool_)
      open_spool_ = data_->spool.reader();
    return open_spool_(number);
  }

  std::shared_ptr<const CopyData> data_;
  StackContents::Opener open_tree_;
  ContentOpener open_spool_;
};

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
    return unpack([&] { return view.open(file); }, data.spool, data.archives[file], limit);
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
    if (auto archive = unpack([&] { return file->open(); }, data.spool, members, file->limit)) {
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
  LayerEntry top{RootedPath::parse("/m"), directory.meta, {}};
  if (request.ownership == CopyRequest::Ownership::reset)
    top.meta.uid = top.meta.gid = 0;
  CopyPlan whole;
  CopyContents::Choice contents(plan.contents);
  whole.entries.push_back(top);
  contents.add_none();
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    if (plan.entries.path(i) == top.path)
      continue;
    whole.entries.push_back(plan.entries[i]);
    contents.add(i);
  }
  whole.contents = contents.finish();
  plan = std::move(whole);
}

/// Of a file in a directory of the machine.
std::optional<FileStamp> stamp_of(const CopyData& data, std::size_t n) {
  const auto content = data.plan.contents[n];
  if (content.kind != CopyContent::Kind::view || data.repositories.contains(content.source))
    return std::nullopt;
  return data.view->stamp(content.path);
}

LayerContent content_of(std::shared_ptr<CopyData> data, const CopyServices& services) {
  data->spool.close();
  if (data->stack != nullptr)
    data->contents.emplace(*data->stack, wanted_content(*data), services.workspace.temporary());
  LayerContent content;
  content.entries = std::exchange(data->plan.entries, {});
  content.stamp = [data](std::size_t n) { return stamp_of(*data, n); };
  content.begin = [data = std::move(data)](const auto&) -> ContentOpener {
    return [reader = std::make_shared<CopyReader>(data)](std::size_t n) { return reader->open(n); };
  };
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
  auto data = std::make_shared<CopyData>(services.workspace.temporary());
  std::visit(ViewMaker{*data, services}, action.from);
  std::optional<Owner> owner;
  if (action.chown)
    owner = owner_of(*action.chown, stack, UnknownNames::refuse, services.progress);
  const auto request = request_of(action, *data, owner, services);
  data->plan = plan_copy(request, stack.tree());
  return content_of(std::move(data), services);
}

LayerContent subtree(const FileOrigin& from, const std::string& source,
                     const CopyServices& services) {
  auto data = std::make_shared<CopyData>(services.workspace.temporary());
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
  return content_of(std::move(data), services);
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
    const auto node = tree.find(path);
    if (node && !node->is_directory())
      throw Error("'{}' is not a directory", path.str());
    LayerEntry entry;
    entry.path = path;
    if (node) {
      entry.meta = node->meta();
    } else {
      made = true;
      entry.meta.type = FileType::directory;
      entry.meta.mode = 0755;
      entry.meta.uid = owner.uid;
      entry.meta.gid = owner.gid;
      entry.meta.mtime = now;
    }
    if (!node || !node->implied())
      entries.push_back(std::move(entry));
  }
  std::reverse(entries.begin(), entries.end());
  if (!made)
    entries.clear();
  LayerContent content;
  content.entries = entries;
  return content;
}

} // namespace cairn
