#include "fs/archive/read_layer.hpp"
#include "fs/tree/layer_writer.hpp"
#include "fs/tree/tree.hpp"
#include "fs/tree/unpack.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace cairn;

namespace {

constexpr std::uint64_t most_entries = 200;
constexpr std::uint64_t most_bytes = 1 << 20;

/// A root to unpack into, with a neighbour that must stay as it is.
class Place {
public:
  Place() : work_("/tmp", "cairn-fuzz-") {
    make_directories(work_.path() + "/root");
    make_directories(work_.path() + "/outside");
    root_ = open_at(work_.fd(), "root", O_RDONLY | O_DIRECTORY);
    outside_ = open_at(work_.fd(), "outside", O_RDONLY | O_DIRECTORY);
  }

  FdRef root() const { return root_; }

  void empty() const {
    for (const auto& name : list_directory(root_))
      remove_tree(root_, name);
    const bool untouched =
        list_directory(outside_).empty() && list_directory(work_.fd()).size() == 2;
    if (!untouched)
      std::abort();
  }

private:
  TempDir work_;
  Fd root_;
  Fd outside_;
};

void read(Source& blob, Unpacker* unpacker) {
  LayerIndex index;
  std::uint64_t bytes = 0;
  const auto visit = [&](const LayerEntry& entry, TarReader& reader) {
    bytes += entry.meta.size;
    if (index.entries.size() == most_entries || bytes > most_bytes)
      throw Error("enough");
    // Reading is what is tried, not making devices.
    const bool is_device =
        entry.meta.type == FileType::char_device || entry.meta.type == FileType::block_device;
    if (unpacker != nullptr && !is_device)
      unpacker->add(entry, reader);
    index.entries.push_back(entry);
  };
  read_layer(blob, {}, visit);
  Tree tree;
  tree.apply(index);
  tree.apply(index);
}

} // namespace

// The first byte chooses what is done with the entries.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Place place;
  if (size == 0)
    return 0;
  TextSource blob(std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  const unsigned choice = data[0] % 3;
  Unpacker::Options options;
  if (choice == 2)
    options.whiteouts = Unpacker::Whiteouts::overlay;
  try {
    Unpacker unpacker(place.root(), options);
    read(blob, choice == 0 ? nullptr : &unpacker);
    unpacker.finish();
  } catch (const Error&) {
    // Refusing is fine; crashing is not.
  }
  if (choice != 0)
    place.empty();
  return 0;
}
