#include "dockerfile/syntax/parse_instruction_files.hpp"

#include "dockerfile/syntax/flags.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <utility>

namespace cairn {

namespace {

using namespace instruction;

/// The body that belongs to a `<<name` among the sources: the last one of that name.
InlineFile inline_file(const SyntaxNode& node, const Heredoc& mark) {
  const auto found =
      std::find_if(node.heredocs.rbegin(), node.heredocs.rend(),
                   [&](const Heredoc& heredoc) { return heredoc.name == mark.name; });
  if (found == node.heredocs.rend())
    throw Error("the heredoc <<{} has no body", printable(mark.name));
  return {mark.name, mark.chomp ? without_leading_tabs(found->content) : found->content,
          mark.expand};
}

void read_transfer(Transfer& transfer, const SyntaxNode& node, const InstructionFlags& flags) {
  const auto& words = node.arguments;
  if (words.size() < 2)
    throw with_hint(Error("needs a source and a destination"),
                    words.empty() ? "nothing was given" : "the destination is missing");
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (const auto heredoc = node.json ? std::nullopt : parse_heredoc_word(words[i]))
      transfer.files.push_back(inline_file(node, *heredoc));
    else
      transfer.sources.push_back(words[i]);
  }
  transfer.destination = words.back();
  if (parse_heredoc_word(transfer.destination))
    throw Error("the destination cannot be a heredoc");
  transfer.chown = flags.text("chown");
  transfer.chmod = flags.text("chmod");
  transfer.link = flags.boolean("link").value_or(false);
  transfer.excludes = flags.list("exclude");
}

} // namespace

Instruction parse_copy(const SyntaxNode& node, Common common) {
  const InstructionFlags flags(node.flags, {{"chown", FlagKind::text},
                                            {"chmod", FlagKind::text},
                                            {"from", FlagKind::text},
                                            {"link", FlagKind::boolean},
                                            {"parents", FlagKind::boolean},
                                            {"exclude", FlagKind::list}});
  Copy copy;
  static_cast<Common&>(copy) = std::move(common);
  read_transfer(copy, node, flags);
  copy.from = flags.text("from");
  copy.parents = flags.boolean("parents").value_or(false);
  return copy;
}

Instruction parse_add(const SyntaxNode& node, Common common) {
  const InstructionFlags flags(node.flags, {{"chown", FlagKind::text},
                                            {"chmod", FlagKind::text},
                                            {"link", FlagKind::boolean},
                                            {"exclude", FlagKind::list},
                                            {"checksum", FlagKind::text},
                                            {"keep-git-dir", FlagKind::boolean},
                                            {"unpack", FlagKind::boolean}});
  Add add;
  static_cast<Common&>(add) = std::move(common);
  read_transfer(add, node, flags);
  add.checksum = flags.text("checksum");
  add.keep_git_dir = flags.boolean("keep-git-dir");
  add.unpack = flags.boolean("unpack");
  return add;
}

} // namespace cairn
