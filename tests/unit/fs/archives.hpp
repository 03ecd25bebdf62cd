#pragma once

#include "fs/archive/entry.hpp"
#include "fs/tree/tree.hpp"
#include "fs/tree/unpack.hpp"
#include "util/fd.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cairn::test {

/// An entry and the content of its file.
struct Member {
  LayerEntry entry;
  std::string content;
};

Member file(std::string_view path, std::string content, std::uint32_t mode = 0644);
Member directory(std::string_view path, std::uint32_t mode = 0755);
Member symbolic_link(std::string_view path, std::string target);
Member hard_link(std::string_view path, std::string_view target);
Member device(std::string_view path, FileType type, std::uint32_t major, std::uint32_t minor);
/// "a/.wh.b" or "a/.wh..wh..opq": an empty file of that name.
Member whiteout(std::string_view path);

std::string tar_of(const std::vector<Member>& members);
LayerIndex index_of(const std::vector<Member>& members);

/// One member as a hostile hand writes it: no name is checked. `type` as in a ustar header.
std::string raw_member(std::string_view name, char type, std::string_view content = "",
                       std::string_view link = "");
/// Without the end of an archive, which may be missing.
std::string pax_member(const std::vector<std::pair<std::string, std::string>>& records);

std::vector<Member> read_members(std::string_view tar);

/// Unpacks a tar into a directory; whether it fits over the layers below. @throws Error
bool unpack(FdRef root, std::string_view tar, Unpacker::Options options = {},
            const Tree& below = {});

enum class HardLinks { shown, as_copies };

/// One line for each file below a directory: "d 755 0:0 a", "f 644 0:0 a/b 'content'",
/// "l a/c -> target"; names of one file share "(=first name)".
std::string describe(FdRef root, HardLinks links = HardLinks::shown);
/// The same for a Tree, with the contents of the members it was made of.
std::string describe(const Tree& tree, const std::vector<std::vector<Member>>& layers,
                     HardLinks links = HardLinks::shown);

bool is_root();

} // namespace cairn::test
