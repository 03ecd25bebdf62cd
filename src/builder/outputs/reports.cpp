#include "builder/outputs/reports.hpp"

#include "net/transient_status.hpp"
#include "net/url.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/json.hpp"

#include <fmt/ranges.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>

namespace cairn {

namespace {

enum class Existing { nothing, plain_file, other };

Existing what_is_at(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0)
    return Existing::nothing;
  return S_ISREG(info.st_mode) ? Existing::plain_file : Existing::other;
}

/// A disk that is full, or what may be written there: no other way of writing helps.
bool is_out_of_space(const SysError& error) {
  return error.is(std::errc::no_space_on_device) || error.is(std::errc::file_too_large) ||
         error.code() == EDQUOT;
}

void write_into(const std::string& path, int flags, const std::string& text) {
  const auto file = open_at(current_directory(), path, O_WRONLY | flags, 0644);
  within([&] { write_all(file, std::as_bytes(std::span(text.data(), text.size()))); }, "write '{}'",
         path);
}

/// Over what is there; it is cut to its length when all of `text` has found room.
void overwrite(const std::string& path, const std::string& text) {
  const bool is_new = what_is_at(path) == Existing::nothing;
  const auto file = open_at(current_directory(), path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  try {
    within([&] { write_all(file, std::as_bytes(std::span(text.data(), text.size()))); },
           "write '{}'", path);
    if (::ftruncate(file.get(), static_cast<off_t>(text.size())) != 0)
      throw SysError(errno, "write '{}'", path);
  } catch (const Error&) {
    if (is_new)
      ::unlink(path.c_str());
    throw;
  }
}

/// As kaniko does it, for URLs that are signed for exactly this.
void upload_report(const std::string& url, const std::string& text,
                   const ReportServices& services) {
  const Retry retry(services.retry, make_pause(&services.cancel), make_random(), system_now,
                    services.progress);
  RetryingHttp http(services.http, retry);
  Request put;
  put.method = "PUT";
  put.url = url;
  put.headers.set("Content-Type", "text/plain");
  put.body = text;
  require_success(put, http.send(put));
}

void write_report(const std::string& place, const std::string& text,
                  const ReportServices& services) {
  if (is_uploaded(place))
    upload_report(place, text, services);
  else if (!place.empty())
    write_report_file(place, text);
}

std::string tagged_name(const ImageRef& destination) {
  return destination.name() + ":" + destination.tag().value_or("latest");
}

/// A report that is a result of a pipeline's step.
struct Result {
  std::string_view flag;
  const std::string& place;
  std::string text;
};

/// A pipeline refuses results that are too much, and with them a step whose image is pushed
/// already. So those that no longer fit are emptied: half a list would pass for a whole one.
void fit_results(std::span<Result> results, std::uint64_t limit, Progress& progress) {
  std::uint64_t taken = 0;
  for (auto& result : results) {
    if (result.place.empty() || limit == 0)
      continue;
    const auto size = result.text.size();
    if (size <= limit - taken) {
      taken += size;
      continue;
    }
    progress.warn("--{} is left empty: its {} bytes and the {} of other results are more than "
                  "--results-limit={}",
                  result.flag, size, taken, limit);
    result.text.clear();
  }
}

/// A line of JSON for each image that was pushed.
std::string cloud_build_lines(const ReportedImage& image) {
  std::string lines;
  for (const auto& destination : image.destinations) {
    Json line = Json::object();
    line.set("name", tagged_name(destination)).set("digest", image.digest.str());
    lines += line.compact() + "\n";
  }
  return lines;
}

} // namespace

void write_report_file(const std::string& path, const std::string& text) {
  if (const auto slash = path.rfind('/'); slash != std::string::npos && slash > 0)
    make_directories(path.substr(0, slash), 0700);
  if (what_is_at(path) == Existing::other) {
    write_into(path, O_APPEND, text);
    return;
  }
  try {
    AtomicFile file(path);
    file.write(text);
    file.commit();
  } catch (const SysError& error) {
    if (is_out_of_space(error))
      throw;
    // A file that is mounted by itself cannot be replaced; its directory may be read-only.
    overwrite(path, text);
  }
}

bool is_uploaded(std::string_view place) {
  return place.starts_with("https://") || place.starts_with("http://");
}

void write_reports(const ReportedImage& image, const ReportOptions& options,
                   const ReportServices& services) {
  const auto digest = image.digest.str();
  std::string names;
  std::string tagged_names;
  std::vector<std::string> tagged;
  for (const auto& destination : image.destinations) {
    names += destination.name() + "@" + digest + "\n";
    tagged.push_back(tagged_name(destination) + "@" + digest);
    tagged_names += tagged.back() + "\n";
  }
  std::vector<std::string> bases;
  for (const auto& base : image.bases)
    bases.push_back(base.str());
  const auto url =
      image.destinations.empty() ? std::string() : tagged_name(image.destinations.front());
  // What a pipeline cannot do without comes first.
  std::array results{
      Result{"digest-file", options.digest_file, digest},
      Result{"image-url-file", options.image_url_file, url},
      Result{"images-file", options.images_file, fmt::format("{}", fmt::join(tagged, ","))},
      Result{"base-images-file", options.base_images_file,
             fmt::format("{}", fmt::join(bases, ","))}};
  fit_results(results, options.results_limit, services.progress);
  write_report(options.image_name_with_digest_file, names, services);
  write_report(options.image_name_tag_with_digest_file, tagged_names, services);
  // The digest is the last file: when it is there, all are.
  for (auto result = results.rbegin(); result != results.rend(); ++result)
    write_report(result->place, result->text, services);
  if (!options.builder_output.empty() && image.pushed == PushImage::yes)
    write_report(options.builder_output + "/images", cloud_build_lines(image), services);
}

} // namespace cairn
