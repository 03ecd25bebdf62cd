#pragma once

#include "builder/images/image_library.hpp"
#include "builder/inputs/build_context.hpp"
#include "builder/inputs/downloads.hpp"
#include "builder/inputs/git_library.hpp"
#include "builder/layers/layer_factory.hpp"
#include "builder/layers/layer_stack.hpp"
#include "builder/plan/plan.hpp"
#include "builder/store/workspace.hpp"
#include "fs/copy/users.hpp"
#include "fs/tree/view.hpp"
#include "util/progress.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cairn {

/// A stack that several steps read from; its Tree is made once.
class SharedStack {
public:
  explicit SharedStack(LayerStack stack) : stack_(std::move(stack)) {}

  /// With its Tree, which does not change any more. Thread-safe.
  const LayerStack& loaded();

private:
  std::mutex mutex_;
  LayerStack stack_;
};

/// Where COPY and ADD read from, apart from what the step itself holds; all borrowed.
struct CopyServices {
  const BuildContext& context;
  ImageLibrary& images;
  Downloads& downloads;
  GitLibrary& repositories;
  Workspace& workspace;
  /// The layers of an earlier stage.
  std::function<std::shared_ptr<SharedStack>(std::size_t stage)> stage;
  /// The layers of an image that is copied from.
  std::function<std::shared_ptr<SharedStack>(const ImageSource& image)> image;
  Clock clock;
  Progress& progress;        ///< Told about owners that nobody is.
  ExpansionLimit limit = {}; ///< Of archives in contexts.
};

/// The layer that a COPY or ADD makes on top of `stack`. Nothing is unpacked but what is copied.
/// @throws Error
LayerContent copy_files(const CopyAction& action, LayerStack& stack, const CopyServices& services);

/// The layer that a WORKDIR makes: the directory and what is missing above it.
LayerContent make_directory(const DirectoryAction& action, LayerStack& stack,
                            const CopyServices& services);

/// A file or directory of an origin by itself: "/m", and what is below it. `source` is absolute and
/// free of patterns; symbolic links in it are followed. @throws Error when it does not exist
LayerContent subtree(const FileOrigin& from, const std::string& source,
                     const CopyServices& services);

/// The user databases of a stage.
UserFiles user_files(LayerStack& stack);

} // namespace cairn
