#include "builder/plan/copy_operand.hpp"

#include "builder/plan/remote_source.hpp"
#include "util/error.hpp"

namespace cairn {

namespace {

void set_checksum(LocalSource&, const std::string&) {
  throw Error("ADD: checksum requires HTTP(S) or Git sources");
}

void set_checksum(UrlSource& url, const std::string& text) {
  url.checksum = Digest::try_parse(text);
  if (!url.checksum)
    throw Error("ADD --checksum={}: it must be \"sha256:\" and 64 hexadecimal digits", text);
}

void set_checksum(GitSource& git, const std::string& text) {
  auto& known = git.reference.checksum;
  if (!known.empty() && known != text)
    throw Error("ADD: checksum mismatch \"{}\" != \"{}\"", text, known);
  check_git_checksum(text);
  known = text;
}

} // namespace

CopyOperand copy_operand(const std::string& text, CopyAction::Kind kind) {
  const bool is_copy = kind == CopyAction::Kind::copy;
  // What could be a path is one: git's short form is for contexts.
  if (auto git = parse_git_source(text); git && !git->reference.looks_local) {
    if (is_copy)
      throw with_hint(Error("COPY: source can't be a git ref for COPY: {}", git->text),
                      "ADD fetches git repositories");
    check_git_checksum(git->reference.checksum);
    return *std::move(git);
  }
  if (!is_url(text))
    return LocalSource{text};
  if (is_copy)
    throw with_hint(Error("COPY: source can't be a URL for COPY: {}", redact_git_reference(text)),
                    "ADD downloads URLs");
  return UrlSource::parse(text);
}

void set_checksum(CopyAction& action, const std::string& text) {
  if (action.sources.size() + action.files.size() != 1)
    throw Error("ADD: checksum can't be specified for multiple sources");
  if (action.sources.empty())
    throw Error("ADD: checksum requires HTTP(S) or Git sources");
  std::visit([&](auto& source) { set_checksum(source, text); }, action.sources.front());
}

void set_keep_git_dir(CopyAction& action, bool keep) {
  for (auto& source : action.sources)
    if (auto* git = std::get_if<GitSource>(&source)) {
      auto& known = git->reference.keep_git_dir;
      if (known && *known != keep)
        throw Error("ADD: inconsistent keep-git-dir configuration: {}", git->text);
      known = keep;
    }
}

std::string copy_history(const CopyAction& action, const std::vector<std::string>& sources) {
  // As in BuildKit --checksum is left out.
  std::string text = action.kind == CopyAction::Kind::add ? "ADD" : "COPY";
  if (action.parents)
    text += " --parents";
  if (action.chown)
    text += " --chown=" + *action.chown;
  if (action.chmod)
    text += " --chmod=" + *action.chmod;
  for (const auto& source : sources)
    text += " " + redact_git_reference(source);
  for (const auto& file : action.files)
    text += " <<" + file.name;
  return text + " " + action.destination + " # buildkit";
}

} // namespace cairn
