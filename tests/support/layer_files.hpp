#pragma once

#include "builder/layers/layer_content.hpp"
#include "fs/tree/tree.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace cairn::test {

/// Regular files of a layer by their paths, with what they hold. A name like "a/.wh.b" is a
/// whiteout.
using Files = std::map<std::string, std::string>;

/// The entries of a layer with these files and their directories, all of them root's.
std::vector<LayerEntry> entries_of(const Files& files);
/// The same with the way to what the files hold.
LayerContent content_of(const Files& files);
/// The same, whose files are opened as `wrap` has it, which is given how they are.
LayerContent with_opener(LayerContent content, std::function<ContentOpener(ContentOpener)> wrap);
/// The layer as a tar that is not compressed.
std::string tar_of(const Files& files);
/// Writes the files below a directory.
void write_below(const std::string& directory, const Files& files);
/// What the blob of a layer holds. Directories are left out.
Files files_of_layer(const std::string& blob);

/// The paths of the regular files of a Tree.
std::vector<std::string> files_in(const Tree& tree);

} // namespace cairn::test
