#include "net/ca_pool.hpp"

#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <set>

namespace cairn {

namespace {

constexpr std::uint64_t max_file = std::uint64_t{4} << 20;

constexpr std::array<const char*, 6> usual_files = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

constexpr std::string_view begin_mark = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view end_mark = "-----END CERTIFICATE-----";

std::string without_blanks(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c > ' ')
      out += c;
  return out;
}

/// A DER sequence that fills its bytes. The TLS library refuses the whole pool for one block that
/// is none, so that such blocks are left out.
bool is_whole_sequence(std::string_view der) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(der[i]); };
  if (der.size() < 4 || byte(0) != 0x30)
    return false;
  if (byte(1) < 0x80)
    return der.size() == 2U + byte(1);
  const std::size_t count = byte(1) & 0x7fU;
  if (count == 0 || count > 3 || der.size() < 2 + count)
    return false;
  std::size_t length = 0;
  for (std::size_t i = 0; i < count; ++i)
    length = length * 256 + byte(2 + i);
  return der.size() == 2 + count + length;
}

/// Certificates of several files, each once.
class Pool {
public:
  void add_text(std::string_view text) {
    for (auto start = text.find(begin_mark); start != std::string_view::npos;
         start = text.find(begin_mark, start + 1)) {
      const auto body = start + begin_mark.size();
      const auto end = text.find(end_mark, body);
      if (end == std::string_view::npos)
        return;
      add_block(without_blanks(text.substr(body, end - body)));
    }
  }

  bool add_file(FdRef directory, const std::string& name) {
    try {
      add_text(read_file(directory, name, max_file));
      return true;
    } catch (const Error&) {
      return false; // Missing, unreadable, a directory, or far too large to be certificates.
    }
  }

  void add_directory(const std::string& path) {
    const auto directory =
        try_open_at(current_directory(), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!directory)
      return;
    for (const auto& name : list_directory(*directory))
      add_file(*directory, name);
  }

  bool empty() const noexcept { return seen_.empty(); }
  std::string take() { return std::move(text_); }

private:
  void add_block(const std::string& body) {
    const auto der = base64_decode(body);
    if (!der || !is_whole_sequence(*der) || !seen_.insert(sha256_hex(*der)).second)
      return;
    constexpr std::size_t line = 64;
    text_ += begin_mark;
    for (std::size_t i = 0; i < body.size(); i += line)
      text_ += "\n" + body.substr(i, line);
    text_ += "\n";
    text_ += end_mark;
    text_ += "\n";
  }

  std::set<std::string> seen_;
  std::string text_;
};

} // namespace

std::string load_ca_pool(const CaPlaces& places) {
  Pool pool;
  if (!places.file.empty())
    pool.add_file(current_directory(), places.file);
  else
    for (const auto* file : usual_files)
      if (pool.empty())
        pool.add_file(current_directory(), file);
  if (!places.directories.empty())
    for (const auto& directory : split(places.directories, ':'))
      pool.add_directory(directory);
  else if (pool.empty())
    for (const auto* directory : {"/etc/ssl/certs", "/etc/pki/tls/certs"})
      pool.add_directory(directory);
  return pool.take();
}

std::string load_pem(const std::string& path) {
  auto text = read_file(current_directory(), path, max_file);
  if (text.find("-----BEGIN ") == std::string::npos)
    throw Error("{}: no PEM block in it", path);
  return text;
}

} // namespace cairn
