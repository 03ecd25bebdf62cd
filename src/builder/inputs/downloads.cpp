#include "builder/inputs/downloads.hpp"

#include "context/download/url_context.hpp"
#include "net/redact.hpp"
#include "util/threads.hpp"

#include <algorithm>
#include <optional>

namespace cairn {

namespace {

/// More would only share the same line.
constexpr std::size_t parallel_downloads = 4;

void add_sources(const Action& action, std::vector<UrlSource>& to) {
  const auto add = [&](const auto& any) {
    if (const auto* url = std::get_if<UrlSource>(&any))
      to.push_back(*url);
  };
  visit_origins(action, add);
  if (const auto* copy = std::get_if<CopyAction>(&action))
    std::for_each(copy->sources.begin(), copy->sources.end(), add);
}

/// What a plan downloads, each file once, those of earlier steps first.
std::vector<UrlSource> sources_of(const Plan& plan) {
  std::vector<UrlSource> all;
  for (const auto& stage : plan.stages)
    for (const auto& step : stage.steps)
      add_sources(step.action, all);
  std::vector<UrlSource> once;
  for (auto& source : all)
    if (std::find(once.begin(), once.end(), source) == once.end())
      once.push_back(std::move(source));
  return once;
}

} // namespace

Downloads::Downloads(const Plan& plan, Downloader& downloader, std::string temporary)
    : downloader_(downloader), temporary_(std::move(temporary)), sources_(sources_of(plan)),
      promises_(sources_.size()) {
  for (std::size_t i = 0; i < sources_.size(); ++i)
    files_.emplace(sources_[i], promises_[i].get_future());
  threads_ = start_threads(std::min(parallel_downloads, sources_.size()), [this] { work(); });
}

Downloads::~Downloads() {
  stop();
}

void Downloads::work() {
  const auto take = [this]() -> std::optional<std::size_t> {
    const std::lock_guard lock(mutex_);
    return next_ < sources_.size() ? std::optional(next_++) : std::nullopt;
  };
  while (const auto number = take()) {
    try {
      promises_[*number].set_value(
          std::make_shared<DownloadedFile>(downloader_.fetch(sources_[*number])));
    } catch (...) {
      // For the step that needs the file: it knows the line.
      promises_[*number].set_exception(std::current_exception());
    }
  }
}

std::shared_ptr<const DownloadedFile> Downloads::get(const UrlSource& source) {
  // Without a thread of its own each download is for whoever wants a file first.
  if (threads_.empty())
    work();
  return files_.at(source).get();
}

const LocalContext& Downloads::context(const UrlSource& source) {
  const auto file = get(source);
  const std::lock_guard lock(context_mutex_);
  auto found = contexts_.find(source);
  if (found == contexts_.end())
    found =
        contexts_.emplace(source, unpack_download(*file, redact_url(source.url), temporary_)).first;
  return found->second;
}

} // namespace cairn
