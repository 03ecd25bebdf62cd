#pragma once

#include "builder/layers/layer_stack.hpp"
#include "builder/store/spool.hpp"
#include "fs/tree/tree.hpp"
#include "util/rooted_path.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace cairn {

/// Chosen files of a stack of layers, to be read in any order: where they lie if they can be opened
/// there, otherwise set aside, for which every layer that holds some of them is read once.
class StackContents {
public:
  using Opener = std::function<std::unique_ptr<Source>(const ContentRef&)>;
  /// For each content a name that the Tree has for it.
  using Wanted = std::map<ContentRef, RootedPath>;

  /// `directory` is for what is set aside. @pre stack.loaded() @throws Error
  StackContents(const LayerStack& stack, const Wanted& wanted, const std::string& directory);

  /// Opens chosen files, for one thread. Thread-safe; this must outlive it.
  Opener reader() const;

private:
  using Part = std::pair<Wanted::const_iterator, Wanted::const_iterator>;

  /// A file with its path below the directory of a layer or a root.
  struct Unpacked {
    std::string root;
    RootedPath path;
    std::uint64_t size = 0;
  };

  /// Files of one layer.
  void find_layer(const LayerStack& stack, Part part);
  void spool_layer(const StageLayer& layer, const std::set<ContentRef>& wanted);

  std::map<std::uint32_t, std::shared_ptr<const LayerContent>> files_; ///< By layer.
  std::map<ContentRef, Unpacked> unpacked_;
  Spool spool_;
  std::map<ContentRef, std::size_t> spooled_;
};

} // namespace cairn
