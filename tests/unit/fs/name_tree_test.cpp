#include "fs/tree/name_tree.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

using namespace cairn;

TEST_SUITE_BEGIN("fs/name_tree");

namespace {

/// What is in a directory, as "a b(c d)".
std::string all(const NameTree& names, NameTree::Number directory = NameTree::root) {
  std::string out;
  for (const auto child : names.children(directory)) {
    out += (out.empty() ? "" : " ") + std::string(names.name(child));
    if (names.has_children(child))
      out += "(" + all(names, child) + ")";
  }
  return out;
}

std::string all(const std::map<std::string, NameTree::Number>& model) {
  std::string out;
  for (const auto& [name, number] : model)
    out += (out.empty() ? "" : " ") + name;
  return out;
}

} // namespace

TEST_CASE("names are listed bytewise, whatever order they come in") {
  NameTree names;
  for (const auto* name : {"b", "a-", "a", "\xff", "B", "a."})
    names.add(NameTree::root, name);
  CHECK(all(names) == "B a a- a. b \xff");
  CHECK(names.add(NameTree::root, "a") == names.child(NameTree::root, "a"));
  CHECK(names.child(NameTree::root, "c") == NameTree::none);
}

TEST_CASE("what is removed goes with all below it, and its numbers are used again") {
  NameTree names;
  const auto a = names.add(NameTree::root, "a");
  const auto b = names.add(a, "b");
  names.add(b, "c");
  names.add(NameTree::root, "d");
  const auto limit = names.limit();
  names.remove(NameTree::root, a);
  CHECK(all(names) == "d");
  CHECK(!names.find(RootedPath::parse("a/b")));
  for (const auto* name : {"e", "f", "g"})
    names.add(NameTree::root, name);
  CHECK(names.limit() == limit);
  CHECK(all(names) == "d e f g");
}

TEST_CASE("paths are found, and the root") {
  NameTree names;
  const auto a = names.add(NameTree::root, "a");
  const auto b = names.add(a, "b");
  CHECK(names.find(RootedPath()) == NameTree::root);
  CHECK(names.find(RootedPath::parse("a/b")) == b);
  CHECK(!names.find(RootedPath::parse("a/b/c")));
}

TEST_CASE("any changes leave what a map has after them") {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    NameTree names;
    std::map<std::string, NameTree::Number> model;
    const int different = 1 << (round % 10 + 1);
    for (int step = 0; step < 2000; ++step) {
      const auto name = std::to_string(random() % static_cast<unsigned>(different));
      const auto known = model.find(name);
      if (random() % 3 != 0 || known == model.end()) {
        const auto number = names.add(NameTree::root, name);
        CHECK((known == model.end() || known->second == number));
        model[name] = number;
      } else {
        names.remove(NameTree::root, known->second);
        model.erase(known);
      }
      if (step % 97 == 0)
        REQUIRE(all(names) == all(model));
    }
    REQUIRE(all(names) == all(model));
    for (const auto& [name, number] : model)
      REQUIRE(names.child(NameTree::root, name) == number);
    while (!model.empty()) {
      names.remove(NameTree::root, model.begin()->second);
      model.erase(model.begin());
    }
    REQUIRE(all(names).empty());
  }
}

TEST_CASE("a copy changes alone") {
  NameTree one;
  one.add(NameTree::root, "a");
  NameTree two = one;
  two.add(NameTree::root, "two");
  one.add(NameTree::root, "one");
  CHECK(all(one) == "a one");
  CHECK(all(two) == "a two");
}

TEST_CASE("directories may be nested as deeply as memory goes") {
  NameTree names;
  auto at = NameTree::root;
  for (int i = 0; i < 1'000'000; ++i)
    at = names.add(at, "d");
  names.remove_children(NameTree::root);
  CHECK(all(names).empty());
}
