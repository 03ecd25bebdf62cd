// Ignore rules: reading a file and judging a path, both ways. The first line of the input is the
// path, the rest is the ignore file.

#include "fs/pattern/glob.hpp"
#include "fs/pattern/ignore.hpp"
#include "util/error.hpp"
#include "util/rooted_path.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace cairn;

namespace {

void judge(const IgnoreRules& rules, const std::string& path) {
  IgnoreRules::Scope scope;
  for (auto at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
    IgnoreRules::Scope own;
    const auto directory = path.substr(0, at);
    const bool ignored = rules.judge(directory, scope, own).ignored();
    // What a walk would skip may hold nothing that is kept.
    if (ignored && !rules.may_keep_below(directory) && !rules.judge_file(path, own).ignored())
      std::abort();
    scope = own;
  }
  IgnoreRules::Scope own;
  const bool walked = rules.judge(path, scope, own).ignored();
  const bool opened = rules.judge(path).ignored();
  if (rules.judge_file(path, scope).ignored() != (walked || opened))
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto end = std::min(input.find('\n'), input.size());
  const auto text = input.substr(std::min(end + 1, input.size()));
  try {
    const auto path = RootedPath::parse(input.substr(0, end));
    try {
      match_glob(text, path.str());
    } catch (const Error&) {
    }
    if (!path.is_root())
      judge(IgnoreRules(parse_ignore_file(text)), path.relative());
  } catch (const Error&) {
  }
  return 0;
}
