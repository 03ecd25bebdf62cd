#include "context/download/url_source.hpp"

#include "net/content_disposition.hpp"
#include "net/url.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

std::string encode_odd_characters(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += c == ' ' || byte >= 0x80U ? percent_encode({&c, 1}) : std::string(1, c);
  }
  return out;
}

} // namespace

bool is_url(std::string_view text) {
  if (!text.starts_with("http://") && !text.starts_with("https://"))
    return false;
  return !text.substr(0, text.find_first_of("?#")).ends_with(".git");
}

UrlSource UrlSource::parse(std::string_view text) {
  auto url = Url::try_parse(encode_odd_characters(text));
  if (!url)
    throw Error("'{}' is not an http or https URL", printable(text));
  return {url->str(), std::nullopt};
}

std::string UrlSource::file_name() const {
  const auto path = Url::parse(url).path;
  auto decoded = percent_decode(path).value_or(path);
  decoded.erase(decoded.find_last_not_of('/') + 1);
  decoded.erase(0, decoded.rfind('/') + 1);
  return is_file_name(decoded) ? decoded : "";
}

} // namespace cairn
