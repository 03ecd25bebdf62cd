#include "dockerfile/syntax/parser.hpp"
#include "support.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>

using namespace cairn;
using namespace cairn::test;

namespace {

/// The tree with the lines of each instruction in front and its heredocs below.
std::string ranged_dump(const SyntaxTree& tree) {
  std::string out;
  for (const auto& node : tree.nodes) {
    out += fmt::format("{}-{} {}\n", node.range.first, node.range.last, dump(node));
    for (const auto& heredoc : node.heredocs)
      out += fmt::format("    <<{} fd={} expand={} chomp={} bytes={}\n", heredoc.name,
                         heredoc.file_descriptor, heredoc.expand, heredoc.chomp,
                         heredoc.content.size());
  }
  return out;
}

bool accepting() {
  const char* accept = std::getenv("CAIRN_ACCEPT");
  return accept != nullptr && std::string_view(accept) == "1";
}

} // namespace

// CAIRN_ACCEPT=1 writes what the parser gives now, for review in the diff.
TEST_CASE("the golden Dockerfiles parse to their golden trees") {
  for (const auto& entry :
       std::filesystem::directory_iterator(source_root() + "/tests/golden/dockerfile")) {
    const auto folder = entry.path().string();
    CAPTURE(folder);
    const auto tree = ranged_dump(parse_syntax(read_text(folder + "/Dockerfile"), "Dockerfile"));
    if (accepting())
      write_text(folder + "/ast", tree);
    CHECK(tree == read_text(folder + "/ast"));
  }
}
