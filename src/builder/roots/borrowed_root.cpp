#include "builder/roots/borrowed_root.hpp"

#include "builder/roots/container_root.hpp"
#include "builder/roots/pod_files.hpp"
#include "builder/roots/root_layout.hpp"

namespace cairn {

namespace {

class BorrowedContainerRoot final : public BorrowedRoot {
public:
  explicit BorrowedContainerRoot(const Borrowing& borrowing)
      : layout_(inplace_root_layout(
            borrowing.options,
            survey_container(borrowing.options, borrowing.workspaces, borrowing.context))),
        pod_files_(layout_, borrowing.progress),
        container_(
            {layout_, borrowing.options.leftovers, borrowing.temporary, borrowing.progress}) {
    for (const auto& point : layout_.too_large)
      borrowing.progress.warn("the pod's mount at '{}' has too many files to see whether commands "
                              "write to it: what they do is not in the image",
                              point.str());
  }

  ForeignFiles& foreign_files() override { return pod_files_; }
  PathFilter ignored() const override { return layout_.reserved.filter(); }

private:
  RootLayout layout_;
  PodFiles pod_files_;
  ContainerRoot container_;
};

} // namespace

std::unique_ptr<BorrowedRoot> borrow_container_root(const Borrowing& borrowing) {
  return std::make_unique<BorrowedContainerRoot>(borrowing);
}

} // namespace cairn
